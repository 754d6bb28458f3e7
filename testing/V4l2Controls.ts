/** V4L2_CTRL_TYPE_* and V4L2_CTRL_FLAG_* of linux/videodev2.h */
export const type = {
  integer: 1,
  boolean: 2,
  menu: 3,
  button: 4,
  integer64: 5,
  class: 6,
  string: 7,
  bitmask: 8,
  integerMenu: 9,
  area: 0x106
}
export const flag = {
  disabled: 0x1,
  grabbed: 0x2,
  readOnly: 0x4,
  inactive: 0x10,
  slider: 0x20,
  writeOnly: 0x40,
  volatile: 0x80
}

export interface PlayedControl {
  readonly id: number
  readonly name: string
  readonly type: number
  readonly range?: readonly [minimum: bigint, maximum: bigint, step: bigint]
  readonly default?: bigint
  readonly flags?: number
  readonly dimensions?: number
  /** by place: a name, or the number of an integer menu */
  readonly menu?: Readonly<Record<number, string | bigint>>
  value: bigint | string
  /** every read or write of its value is refused */
  readonly broken?: boolean
}

/** _IOWR('V', number), with the size of the structure as a C compiler tells for linux/videodev2.h on a 64-bit machine */
const names: Readonly<Record<number, string>> = {
  [iowr(103, 232)]: "QUERY_EXT_CTRL",
  [iowr(37, 44)]: "QUERYMENU",
  [iowr(71, 32)]: "G_EXT_CTRLS",
  [iowr(72, 32)]: "S_EXT_CTRLS"
}

function iowr(number: number, size: number): number {
  return ((3 << 30) | (size << 16) | (0x56 << 8) | number) >>> 0
}

/** What a camera's driver does with a value: v4l2-ctrls-core.c, `round_to_range`. */
const rounded = (value: bigint, [minimum, maximum, step]: readonly [bigint, bigint, bigint]): bigint => {
  const near = value + step / 2n
  const clamped = near < minimum ? minimum : near > maximum ? maximum : near
  return minimum + step * ((clamped - minimum) / step)
}

/** Where buffers lie, for structures that point to others. */
export interface PlayedMemory {
  readonly addressOf: (buffer: Buffer) => bigint
  readonly at: (address: bigint, size: number) => Buffer
}

/** Buffers are asked about while their address is new. */
const remembered = 64

export const makeMemory = (): PlayedMemory => {
  const memory = new Map<bigint, Buffer>()
  let lastAddress = 0x7f00_0000_0000n
  return {
    addressOf: (buffer) => {
      lastAddress += 0x10000n
      memory.set(lastAddress, buffer)
      for (const address of [...memory.keys()].slice(0, -remembered)) memory.delete(address)
      return lastAddress
    },
    at: (address, size) => {
      for (const [start, buffer] of memory) {
        const offset = Number(address - start)
        if (offset >= 0 && offset + size <= buffer.length) return buffer.subarray(offset, offset + size)
      }
      throw new Error("EFAULT")
    }
  }
}

/**
 * A driver's side of what is asked of a camera's controls, by the structures of videodev2.h: whether it did it. `told` hears
 * of each that is read or set: `S_EXT_CTRLS Brightness`.
 */
export const answerControls = (
  controls: ReadonlyArray<PlayedControl>,
  { at }: PlayedMemory,
  told: (what: string) => void = () => undefined
): ((request: number, argument: Buffer) => boolean) => {
  const transfer = (control: PlayedControl, argument: Buffer, write: boolean): boolean => {
    if (control.broken === true) return false
    const isText = control.type === type.string
    const size = argument.readUInt32LE(4)
    if (isText && size < Number(control.range?.[1] ?? 0n) + 1) return false
    const text = isText ? at(argument.readBigUInt64LE(12), size) : Buffer.alloc(0)
    const isWide = control.type === type.integer64
    if (write) {
      const given = isWide ? argument.readBigInt64LE(12) : BigInt(argument.readInt32LE(12))
      const number = control.type === type.bitmask ? BigInt.asUintN(32, given) : given
      if (isText) control.value = text.toString("utf8", 0, text.indexOf(0))
      else control.value = control.type === type.integer ? rounded(number, control.range ?? [0n, 0n, 1n]) : number
    } else if (typeof control.value === "string") text.fill(0).write(control.value)
    else if (isWide) argument.writeBigInt64LE(control.value, 12)
    else argument.writeUInt32LE(Number(BigInt.asUintN(32, control.value)), 12)
    return true
  }

  return (request, argument) => {
    const name = names[request]
    if (name === undefined) return false
    if (name.endsWith("EXT_CTRLS")) {
      if (argument.readUInt32LE(0) !== 0 || argument.readUInt32LE(4) !== 1) return false
      const one = at(argument.readBigUInt64LE(24), 20)
      const control = controls.find(({ id }) => id === one.readUInt32LE(0))
      told(`${name} ${control?.name}`)
      return control !== undefined && transfer(control, one, name === "S_EXT_CTRLS")
    }
    const asked = argument.readUInt32LE(0)
    if (name === "QUERYMENU") {
      const entry = controls.find(({ id }) => id === asked)?.menu?.[argument.readUInt32LE(4)]
      if (typeof entry === "bigint") argument.writeBigInt64LE(entry, 8)
      else argument.write(entry ?? "", 8, 32, "utf8")
      return entry !== undefined
    }
    const found =
      asked >= 0x80000000 ? controls.find(({ id }) => id > asked - 0x80000000) : controls.find(({ id }) => id === asked)
    if (found === undefined) return false
    argument.writeUInt32LE(found.id, 0)
    argument.writeUInt32LE(found.type, 4)
    argument.write(found.name, 8, 32, "utf8")
    const [minimum, maximum, step] = found.range ?? [0n, 0n, 0n]
    argument.writeBigInt64LE(minimum, 40)
    argument.writeBigInt64LE(maximum, 48)
    argument.writeBigUInt64LE(step, 56)
    argument.writeBigInt64LE(found.default ?? 0n, 64)
    argument.writeUInt32LE(found.flags ?? 0, 72)
    argument.writeUInt32LE(found.dimensions ?? 0, 84)
    return true
  }
}
