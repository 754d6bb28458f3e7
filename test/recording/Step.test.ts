import { notBegun } from "../../src/recording/Ending.ts"
import {
  away,
  began,
  ended,
  failed,
  fault,
  faulty,
  finished,
  full,
  grew,
  hung,
  idle,
  just,
  lost,
  off,
  over,
  released,
  running,
  stepsHold,
  stop,
  waiting
} from "./StepWords.ts"

const crashed = { reason: "the service crashed", at: undefined }

stepsHold("a step of a recording", [
  // the start
  {
    name: "the first bytes are the start",
    after: [],
    incident: began("a"),
    actions: ["bytes in 5 s", "no start", "AnswerStart", "Writing a"],
    phase: "RUNNING"
  },
  {
    name: "a start for a while lasts from its first bytes on",
    after: [],
    incident: began("a"),
    actions: ["bytes in 5 s", "no start", "AnswerStart", "duration in 60 s", "Writing a"],
    limits: { durationSeconds: 60 }
  },
  {
    name: "one that goes on after a crash tells what is missing before its first picture",
    after: [],
    incident: began("camera0_2026-01-02_03-04-05_500000.mp4"),
    actions: [
      "no blame",
      "bytes in 5 s",
      "Writing camera0_2026-01-02_03-04-05_500000.mp4: the service crashed; 3 s are missing"
    ],
    limits: { goesOnAfter: { reason: "the service crashed", at: Date.UTC(2026, 0, 2, 3, 4, 2, 700) } }
  },
  {
    name: "of what a clock that was set back makes of that nothing is told",
    after: [],
    incident: began("camera0_2026-01-02_03-04-05_500000.mp4"),
    actions: ["no blame", "bytes in 5 s", "Writing camera0_2026-01-02_03-04-05_500000.mp4: the service crashed"],
    limits: { goesOnAfter: { reason: "the service crashed", at: Date.UTC(2026, 0, 2, 4) } }
  },
  ...[
    {
      name: "a camera with a fault",
      incident: faulty,
      told: `Troubled -: ${fault}`,
      also: ["no away", "no blame", "no calm"]
    },
    {
      name: "a camera that goes",
      incident: just("CameraUnplugged"),
      told: `Waiting -: ${away}`,
      also: ["away in 60 s", "no blame", "no calm"]
    },
    {
      name: "a MediaMTX that cannot be told to write",
      incident: { _tag: "RecorderRefused", error: notBegun("MediaMTX is not running") } as const,
      told: "Troubled -: MediaMTX is not running",
      also: ["ResumeRecorder"]
    }
  ].map(({ also, incident, name, told }) => ({
    name: `${name} has one wait that goes on after a crash`,
    after: [],
    incident,
    actions: [...also, told],
    limits: { goesOnAfter: crashed },
    phase: "RUNNING" as const
  })),
  {
    name: "what it waited for is told before what is missing",
    after: [faulty, failed("broken"), just("StreamClosed")],
    incident: began("a"),
    actions: ["no blame", "bytes in 5 s", "Writing a: the service crashed"],
    limits: { goesOnAfter: crashed }
  },
  {
    name: "one that goes on after a crash, and is stopped before its first file, has none",
    after: [faulty, stop, off()],
    incident: released,
    actions: ["Ended -", "ClearTimers", "End"],
    limits: { goesOnAfter: crashed },
    phase: "ENDED"
  },
  { name: "a camera that goes before them ends it", after: [], incident: just("CameraUnplugged"), actions: ended },
  { name: "no bytes in time end it", after: [failed("broken")], incident: over("start"), actions: ended },
  { name: "who does not wait ends it", after: [], incident: { _tag: "StartCancelled" }, actions: ended },
  { name: "who goes when it has begun does not", after: running, incident: { _tag: "StartCancelled" }, actions: [] },
  {
    name: "what it left is discarded",
    after: [just("CameraUnplugged"), began("a")],
    incident: off(),
    actions: ["ReleaseStream", "Discard a"]
  },
  {
    name: "its last word is why",
    after: [failed("broken"), over("start"), off()],
    incident: released,
    actions: ["Failed -: broken", "ClearTimers", "End (broken)"],
    phase: "ENDED"
  },
  { name: "a disk that takes nothing ends it at once", after: [], incident: full, actions: ended },
  { name: "one that takes it is no news", after: [], incident: idle, actions: [] },
  {
    name: "its stream is ready, and bytes are waited for",
    after: [idle],
    incident: just("StreamReady"),
    actions: ["bytes in 3 s"]
  },
  {
    name: "where none come, the disk is asked again",
    after: [idle, just("StreamReady")],
    incident: over("bytes"),
    actions: ["ExplainStall"]
  },
  {
    name: "a disk that is full by then ends it",
    after: [idle, just("StreamReady"), over("bytes")],
    incident: full,
    actions: ended
  },
  { name: "one that does not answer is waited for", after: [], incident: hung, actions: [] },
  {
    name: "and named when the time is over",
    after: [hung, over("start"), off()],
    incident: released,
    actions: ["Failed -: the disk does not answer", "ClearTimers", "End (the disk does not answer)"],
    phase: "ENDED"
  },
  {
    name: "it may have been slow for a moment, and is asked again once there is a stream",
    after: [hung, just("StreamReady")],
    incident: over("bytes"),
    actions: ["ExplainStall"]
  },
  {
    name: "and is named where the time is over before it answers",
    after: [hung, just("StreamReady"), over("bytes"), over("start"), off()],
    incident: released,
    actions: ["Failed -: the disk does not answer", "ClearTimers", "End (the disk does not answer)"],
    phase: "ENDED"
  },
  {
    name: "and is not named where it answers by then",
    after: [failed("broken"), hung, just("StreamReady"), over("bytes"), idle, over("start"), off()],
    incident: released,
    actions: ["Failed -: broken", "ClearTimers", "End (broken)"],
    phase: "ENDED"
  },
  {
    name: "one that answers after all keeps no start",
    after: [hung],
    incident: began("a"),
    actions: ["bytes in 5 s", "no start", "AnswerStart", "Writing a"],
    phase: "RUNNING"
  },
  {
    name: "a camera's fault meanwhile is no news",
    after: [],
    incident: faulty,
    actions: ["no away", "no blame", "no calm"]
  },

  // files
  {
    name: "the next file finishes the one before",
    after: running,
    incident: began("b"),
    actions: ["no blame", "Finish a", "bytes in 5 s", "Writing b"]
  },
  { name: "a file begins once", after: running, incident: began("a"), actions: [] },
  { name: "bytes are waited for anew", after: running, incident: grew("a"), actions: ["bytes in 5 s"] },
  { name: "an older file's bytes say nothing", after: [...running, began("b")], incident: grew("a"), actions: [] },

  // the stream
  {
    name: "a stream that ends has its file closed",
    after: running,
    incident: failed("ended"),
    actions: ["no bytes", "AwaitClosed"]
  },
  {
    name: "it is finished, and the camera asked",
    after: [...running, failed("ended")],
    incident: just("StreamClosed"),
    actions: ["blame in 1 s", "Finish a"]
  },
  {
    name: "the next stream says that the file is closed, too",
    after: [...running, failed("ended")],
    incident: just("StreamReady"),
    actions: ["blame in 1 s", "Finish a", "bytes in 10 s"]
  },
  {
    name: "what nobody else is to blame for is told",
    after: [...running, failed("ended"), just("StreamClosed"), finished("a")],
    incident: over("blame"),
    actions: ["Troubled a: ended"]
  },
  {
    name: "it is told when the file is whole",
    after: [...running, failed("ended"), just("StreamClosed"), over("blame")],
    incident: finished("a"),
    actions: ["Troubled a: ended"]
  },
  {
    name: "or before the next file begins",
    after: [...running, failed("ended"), just("StreamClosed"), over("blame")],
    incident: began("b"),
    actions: ["Troubled a: ended", "no blame", "bytes in 5 s", "Writing b"]
  },
  {
    name: "a stream that is back at once has its end told first",
    after: [...running, failed("ended"), just("StreamClosed")],
    incident: began("b"),
    actions: ["no blame", "Troubled a: ended", "bytes in 5 s", "Writing b"]
  },

  // the camera
  {
    name: "a camera that goes while its file is written is told when that is closed",
    after: running,
    incident: just("CameraUnplugged"),
    actions: ["away in 60 s", "no blame", "no calm"]
  },
  {
    name: "it is to blame for the stream's end",
    after: [...running, failed("ended"), just("StreamClosed"), finished("a")],
    incident: just("CameraUnplugged"),
    actions: ["away in 60 s", "no blame", "no calm", `Waiting a: ${away}`]
  },
  {
    name: "the file first, then the word",
    after: waiting.slice(0, -1),
    incident: finished("a"),
    actions: [`Waiting a: ${away}`]
  },
  {
    name: "it is back when there is video",
    after: [...waiting, just("CameraWorks")],
    incident: began("b"),
    actions: ["no blame", "bytes in 5 s", "Writing b: the camera is back"]
  },
  { name: "it is not waited for any more", after: waiting, incident: just("CameraWorks"), actions: ["no away"] },
  {
    name: "it was away for too long",
    after: waiting,
    incident: over("away"),
    actions: ended,
    phase: "STOPPING"
  },
  {
    name: "where it may not be waited for it is the end",
    after: [...running, failed("ended"), just("StreamClosed"), finished("a")],
    incident: just("CameraUnplugged"),
    actions: ["no blame", "no calm", ...ended],
    limits: { resumeSeconds: 0 }
  },
  {
    name: "a fault is told",
    after: [...running, failed("ended"), just("StreamClosed"), finished("a")],
    incident: faulty,
    actions: ["no away", "no blame", "no calm", `Troubled a: ${fault}`]
  },
  {
    name: "a camera whose frames never stopped was never away",
    after: [...running, just("CameraUnplugged"), just("CameraWorks"), over("calm"), failed("ended")],
    incident: just("StreamClosed"),
    actions: ["blame in 1 s", "Finish a"]
  },

  // the end
  { name: "a stop turns the recorder off first", after: running, incident: stop, actions: ended, phase: "STOPPING" },
  { name: "its time is over", after: running, incident: over("duration"), actions: ended },
  {
    name: "the files next, while the stream is given back",
    after: [...running, stop],
    incident: off(),
    actions: ["ReleaseStream", "Finish a"]
  },
  {
    name: "one that came late belongs to it",
    after: [...running, stop, began("b")],
    incident: off(),
    actions: ["ReleaseStream", "Finish a", "Finish b"]
  },
  {
    name: "one that came later still, too",
    after: [...running, stop, off()],
    incident: began("b"),
    actions: ["Finish b"]
  },
  {
    name: "the last word when all is whole",
    after: [...running, stop, off(), released],
    incident: finished("a"),
    actions: ["Ended a", "ClearTimers", "End a"],
    phase: "ENDED"
  },
  {
    name: "the stream is waited for",
    after: [...running, stop, off(), finished("a")],
    incident: released,
    actions: ["Ended a", "ClearTimers", "End a"]
  },
  {
    name: "what is not as it should be is told",
    after: [...running, over("duration"), off(), released],
    incident: finished("a", "a file may not outlive a power cut"),
    actions: ["Ended a: its duration is over; a file may not outlive a power cut", "ClearTimers", "End a"]
  },
  {
    name: "a recorder that may write on is told",
    after: [...running, stop, off("MediaMTX may write on"), released],
    incident: finished("a"),
    actions: ["Ended a: MediaMTX may write on", "ClearTimers", "End a"]
  },
  {
    name: "one lost file of two is told",
    after: [...running, began("b"), finished("a"), stop, off(), released],
    incident: lost("b"),
    actions: ["Ended b: the disk reports an error", "ClearTimers", "End a"]
  },
  {
    name: "no file left is a failure",
    after: [...running, stop, off(), released],
    incident: lost("a"),
    actions: ["Failed a: the disk reports an error", "ClearTimers", "End (the disk reports an error)"]
  },
  {
    name: "an empty file is none",
    after: [...running, began("b"), finished("a"), stop, off(), released],
    incident: { _tag: "SegmentGone", filename: "b" },
    actions: ["Ended a", "ClearTimers", "End a"]
  },
  {
    name: "the service's end leaves no time to remux",
    after: running,
    incident: { _tag: "ServiceEnds" },
    actions: ["GiveUpRemuxes", "ClearTimers", "end in 9 s", "TurnRecorderOff in 1 s", "end in 5 s"]
  },
  {
    name: "nor to a stop that is under way",
    after: [...running, stop, off(), { _tag: "SegmentRemuxed", filename: "a" }],
    incident: { _tag: "ServiceEnds" },
    actions: ["GiveUpRemuxes", "end in 5 s"]
  },
  {
    name: "what hangs is left behind",
    after: [...running, began("b"), finished("a"), stop],
    incident: over("end"),
    actions: ["Ended b: the disk did not answer in time", "ClearTimers", "End a"],
    phase: "ENDED"
  },
  {
    name: "a remux is not",
    after: [...running, stop, off(), { _tag: "SegmentRemuxed", filename: "a" }],
    incident: over("end"),
    actions: [],
    phase: "STOPPING"
  }
])
