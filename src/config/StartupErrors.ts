import * as Schema from "effect/Schema"
import { authority } from "./Hosts.ts"

/** What makes a start impossible: the service ends with status 69 and one line that says what to do. */

/** Another program listens on this port already. */
export class PortInUse extends Schema.TaggedError<PortInUse>()("PortInUse", {
  host: Schema.String,
  port: Schema.Int
}) {
  override get message(): string {
    return `port ${this.port} on ${this.host} is in use: stop what listens there, or set another port (camera-service doctor names both)`
  }
}

/** The service may not listen there: the address is none of this machine's, or the port is a privileged one. */
export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", {
  host: Schema.String,
  port: Schema.Int,
  detail: Schema.String
}) {
  override get message(): string {
    return `cannot listen on ${authority(this.host, this.port)} (${this.detail}): set another address or port`
  }
}

/** A program that the service needs is not there; `hint` says how to get it. */
export class ProgramMissing extends Schema.TaggedError<ProgramMissing>()("ProgramMissing", {
  program: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    return `${this.program} is missing: ${this.hint}`
  }
}

/** The kernel starts no program now, whichever it is; `hint` says what to do about it. */
export class NotStarted extends Schema.TaggedError<NotStarted>()("NotStarted", {
  program: Schema.String,
  detail: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    return `${this.program} could not be started (${this.detail}): ${this.hint}`
  }
}

/** A program that the service needs is too old, or another one than it should be; `hint` says how to get the right one. */
export class ProgramUnfit extends Schema.TaggedError<ProgramUnfit>()("ProgramUnfit", {
  program: Schema.String,
  /** such as: is too old (v1.9.0) */
  flaw: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    return `${this.program} ${this.flaw}: ${this.hint}`
  }
}

/** Another service (`pid`, 0 when unknown) works on this data folder already. */
export class DataFolderInUse extends Schema.TaggedError<DataFolderInUse>()("DataFolderInUse", {
  folder: Schema.String,
  pid: Schema.Int
}) {
  override get message(): string {
    const by = this.pid === 0 ? "another camera-service" : `another camera-service (process ${this.pid})`
    return `the data folder ${this.folder} is in use by ${by}: stop it, or set data_dir to another folder`
  }
}

/** A later version has changed how data lies in the folder: this one would misread it. */
export class DataFolderNewer extends Schema.TaggedError<DataFolderNewer>()("DataFolderNewer", {
  folder: Schema.String,
  format: Schema.Int,
  known: Schema.Int
}) {
  override get message(): string {
    const formats = `it has format ${this.format}, and this version knows ${this.known}`
    return `the data folder ${this.folder} is a newer camera-service's (${formats}): install that one again, or restore a backup of before`
  }
}

/** The data folder cannot be made or written to. */
export class DataFolderUnusable extends Schema.TaggedError<DataFolderUnusable>()("DataFolderUnusable", {
  folder: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `the data folder ${this.folder} cannot be used (${this.detail}): set data_dir to a folder that can be written`
  }
}

/** A secret that is made by another user than the service's would sign tokens that it does not know. */
export class DataFolderForeign extends Schema.TaggedError<DataFolderForeign>()("DataFolderForeign", {
  folder: Schema.String
}) {
  override get message(): string {
    return `the data folder ${this.folder} is another user's: run this as the service's user (sudo -u …), or set data_dir`
  }
}

/** The certificate that other machines are to be shown cannot be had. */
export class CertificateUnusable extends Schema.TaggedError<CertificateUnusable>()("CertificateUnusable", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `the certificate ${this.file} cannot be used: ${this.detail}: see tls.certificate_file and tls.key_file`
  }
}
