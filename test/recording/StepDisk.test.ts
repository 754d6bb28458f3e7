import {
  began,
  ended,
  failed,
  finished,
  full,
  gone,
  grew,
  hung,
  idle,
  just,
  notPaused,
  over,
  paused,
  running,
  stalled,
  stepsHold,
  stop,
  unsynced,
  waiting,
  waitingForRoom,
  writerFailed
} from "./StepWords.ts"

stepsHold("a step of a recording whose disk is in trouble", [
  // the disk
  {
    name: "a file that does not grow is asked about",
    after: running,
    incident: over("bytes"),
    actions: ["ExplainStall"]
  },
  {
    name: "a full disk is told, when what it has is whole",
    after: [...running, over("bytes"), full],
    incident: finished("a"),
    actions: ["Troubled a: no space is left on the disk"]
  },
  {
    name: "a file that waits only is not finished",
    after: [...running, over("bytes")],
    incident: idle,
    actions: ["Troubled a: nothing is written"]
  },
  {
    name: "the first bytes on a disk that was full prove nothing",
    after: stalled,
    incident: began("b"),
    actions: ["no blame", "bytes in 5 s"]
  },
  {
    name: "the next ones do",
    after: [...stalled, began("b")],
    incident: grew("b"),
    actions: ["bytes in 5 s", "Writing b: there is room on the disk again"]
  },
  {
    name: "what did not come for another reason than the disk comes again",
    after: [...running, over("bytes"), idle, began("b")],
    incident: grew("b"),
    actions: ["bytes in 5 s", "Writing b: it is written again"]
  },
  {
    name: "a disk that hung and takes the same file again",
    after: [...running, over("bytes"), hung],
    incident: grew("a"),
    actions: ["bytes in 5 s", "Writing a: the disk takes it again"]
  },
  {
    name: "bytes that came meanwhile need no reason",
    after: [...running, over("bytes"), grew("a")],
    incident: full,
    actions: []
  },
  {
    name: "nothing is missed of a stream that is lost, though more of its file is heard of",
    after: [...running, failed("ended"), grew("a")],
    incident: over("bytes"),
    actions: []
  },
  {
    name: "nor where its first file is heard of when it is lost",
    after: [idle, just("StreamReady"), failed("ended"), began("a")],
    incident: over("bytes"),
    actions: []
  },
  {
    name: "a file that was heard of before its stream is missed from then on",
    after: [...running, failed("ended"), just("StreamClosed"), began("b")],
    incident: just("StreamReady"),
    actions: ["bytes in 5 s"]
  },
  {
    name: "a stream without a first file is asked about",
    after: [...waiting, just("StreamReady")],
    incident: over("bytes"),
    actions: ["ExplainStall"]
  },

  // MediaMTX says that it cannot write
  {
    name: "what MediaMTX says is believed at once",
    after: running,
    incident: writerFailed("a"),
    actions: ["Finish a"]
  },
  {
    name: "and told when what it has is whole",
    after: [...running, writerFailed("b")],
    incident: finished("a"),
    actions: ["Troubled a: too many files are open"]
  },
  { name: "once", after: [...running, writerFailed("b")], incident: writerFailed("c"), actions: [] },
  {
    name: "more than what the disk knows",
    after: [...running, over("bytes"), idle],
    incident: writerFailed("a"),
    actions: ["Finish a"]
  },
  {
    name: "what is heard late of a file before is nothing",
    after: [...running, began("b")],
    incident: writerFailed("a"),
    actions: []
  },
  {
    name: "the next file says that it is over when it grows",
    after: [...running, writerFailed("a"), finished("a"), began("b")],
    incident: grew("b"),
    actions: ["bytes in 5 s", "Writing b: it is written again"]
  },
  {
    name: "one that fails before that is not told of again",
    after: [...running, writerFailed("a"), finished("a"), began("b")],
    incident: writerFailed("b"),
    actions: ["Finish b"]
  },
  { name: "a start fails with it", after: [], incident: writerFailed("a"), actions: ended },

  // the disk's reserve
  { name: "MediaMTX is told to write no more", after: running, incident: gone, actions: ["PauseRecorder"] },
  { name: "once", after: [...running, gone], incident: gone, actions: [] },
  { name: "then its file is made whole", after: [...running, gone], incident: paused, actions: ["Finish a"] },
  {
    name: "and what it waits for is told",
    after: waitingForRoom.slice(0, -1),
    incident: finished("a"),
    actions: ["Troubled a: only the reserve is left"]
  },
  { name: "what does not come meanwhile is not missed", after: waitingForRoom, incident: over("bytes"), actions: [] },
  {
    name: "nor after the stream was away",
    after: [...waitingForRoom, failed("ended"), just("StreamClosed"), just("StreamReady")],
    incident: over("bytes"),
    actions: []
  },
  {
    name: "room has it go on",
    after: waitingForRoom,
    incident: just("RoomBack"),
    actions: ["ResumeRecorder", "bytes in 10 s"]
  },
  {
    name: "which is told when its next file grows",
    after: [...waitingForRoom, just("RoomBack"), began("b")],
    incident: grew("b"),
    actions: ["bytes in 5 s", "Writing b: there is room on the disk again"]
  },
  {
    name: "a file that does not come then is missed",
    after: [...waitingForRoom, just("RoomBack")],
    incident: over("bytes"),
    actions: ["ExplainStall"]
  },
  {
    name: "and told of once it grows all the same",
    after: [...waitingForRoom, just("RoomBack"), over("bytes"), began("b")],
    incident: grew("b"),
    actions: ["bytes in 5 s", "Writing b: there is room on the disk again"]
  },
  {
    name: "nothing is missed of a stream that is lost",
    after: [...waitingForRoom, failed("ended"), just("StreamClosed")],
    incident: just("RoomBack"),
    actions: ["ResumeRecorder"]
  },
  {
    name: "until there is one",
    after: [...waitingForRoom, failed("ended"), just("StreamClosed"), just("RoomBack")],
    incident: just("StreamReady"),
    actions: ["bytes in 10 s"]
  },
  {
    name: "what was not missed while MediaMTX was to stop is missed when it is not to any more",
    after: [...running, gone, over("bytes")],
    incident: just("RoomBack"),
    actions: ["ResumeRecorder", "bytes in 10 s"]
  },
  { name: "room that was never gone is no news", after: running, incident: just("RoomBack"), actions: [] },
  {
    name: "room that is back before MediaMTX was told is none either",
    after: [...running, gone, just("RoomBack")],
    incident: paused,
    actions: []
  },
  {
    name: "and a file that grew on is no news",
    after: [...running, gone, just("RoomBack")],
    incident: grew("a"),
    actions: ["bytes in 5 s"]
  },
  { name: "a stop meanwhile is one", after: waitingForRoom, incident: stop, actions: ended, phase: "STOPPING" },
  { name: "a start is refused for it", after: [], incident: gone, actions: ended },

  // a file that it failed to sync
  {
    name: "a file that is not synced is told, and written on",
    after: running,
    incident: unsynced("a"),
    actions: ["Troubled a: it may be lost", "AwaitSync"]
  },
  {
    name: "one that is over says so at the end",
    after: [...running, began("b")],
    incident: unsynced("a"),
    actions: []
  },
  {
    name: "a disk that syncs again has another file begun",
    after: [...running, unsynced("a")],
    incident: just("DiskSyncs"),
    actions: ["PauseRecorder"]
  },
  {
    name: "at once",
    after: [...running, unsynced("a"), just("DiskSyncs")],
    incident: paused,
    actions: ["Finish a", "ResumeRecorder", "bytes in 10 s"]
  },
  {
    name: "which is told when it grows",
    after: [...running, unsynced("a"), just("DiskSyncs"), paused, finished("a"), began("b")],
    incident: grew("b"),
    actions: ["bytes in 5 s", "Writing b: the disk takes it again"]
  },
  {
    name: "another file may have begun before",
    after: [...running, unsynced("a")],
    incident: began("b"),
    actions: ["no blame", "Finish a", "bytes in 5 s", "Writing b: it goes on in another file"]
  },
  {
    name: "and then need not",
    after: [...running, unsynced("a"), began("b")],
    incident: just("DiskSyncs"),
    actions: []
  },
  {
    name: "the disk's room goes before it",
    after: [...running, unsynced("a"), gone],
    incident: just("DiskSyncs"),
    actions: []
  },
  {
    name: "and after it",
    after: [...running, unsynced("a"), just("DiskSyncs"), gone, paused],
    incident: finished("a"),
    actions: ["Troubled a: only the reserve is left"]
  },
  {
    name: "room that is back before MediaMTX was told has the disk tried again",
    after: [...running, unsynced("a"), gone, just("DiskSyncs")],
    incident: just("RoomBack"),
    actions: ["ResumeRecorder", "bytes in 10 s", "AwaitSync"]
  },
  {
    name: "and so where it was to begin another file",
    after: [...running, unsynced("a"), just("DiskSyncs"), gone],
    incident: just("RoomBack"),
    actions: ["ResumeRecorder", "bytes in 10 s", "AwaitSync"]
  },
  {
    name: "which it then does as ever",
    after: [...running, unsynced("a"), just("DiskSyncs"), gone, just("RoomBack")],
    incident: just("DiskSyncs"),
    actions: ["PauseRecorder"]
  },
  {
    name: "a file that began before MediaMTX paused is over with it",
    after: [...running, unsynced("a"), just("DiskSyncs"), began("b")],
    incident: paused,
    actions: ["Finish b", "ResumeRecorder", "bytes in 10 s"]
  },
  {
    name: "also one that is not synced either",
    after: [...running, unsynced("a"), just("DiskSyncs"), began("b"), unsynced("b")],
    incident: paused,
    actions: ["Finish b", "ResumeRecorder", "bytes in 10 s"]
  },
  {
    name: "which is told, and tried for no more",
    after: [...running, unsynced("a"), just("DiskSyncs"), began("b")],
    incident: unsynced("b"),
    actions: ["Troubled b: it may be lost"]
  },
  {
    name: "a stream that ended meanwhile has it record again all the same",
    after: [...running, unsynced("a"), just("DiskSyncs"), failed("ended"), just("StreamClosed")],
    incident: paused,
    actions: ["ResumeRecorder"]
  },
  {
    name: "MediaMTX may write on where it could not be told: its file is kept, and the disk tried again",
    after: [...running, unsynced("a"), just("DiskSyncs")],
    incident: notPaused,
    actions: ["ResumeRecorder", "bytes in 10 s", "AwaitSync"]
  },
  {
    name: "one that was told late may have begun another file, which is as good as any",
    after: [...running, unsynced("a"), just("DiskSyncs"), began("b")],
    incident: notPaused,
    actions: ["ResumeRecorder", "bytes in 10 s"]
  },
  {
    name: "and that is written on",
    after: [...running, unsynced("a"), just("DiskSyncs"), notPaused],
    incident: grew("a"),
    actions: ["bytes in 5 s"]
  }
])
