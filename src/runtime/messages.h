// messages.h: what the agent and a pod's shim say to each other.
//
// The shim is one small process per pod (shim/README.md). It answers on SOCK_SEQPACKET sockets: one
// message is one packet, and descriptors travel beside it (SCM_RIGHTS). Everything here is plain
// data in the machine's own byte order, because both ends are always the same machine.
//
//   agent                                       shim
//     Hello                                ->
//                                          <-   HelloReply      (the shim's version)
//     RunSandbox + descriptors             ->
//                                          <-   SandboxRunning + pidfd, network namespace
//     CreateContainer + plan, log, mounts  ->
//                                          <-   Started
//                                          <-   ProcessExited   (an event)
//
// Rules for both ends:
//  - A request carries an id of the sender's choice; its one reply carries the same. A reply to
//    kState is the one exception: it is a row of messages that kStateEnd closes. Events have id 0
//    and go to every connection.
//  - Header.length is the length of the packet. A message may be longer than this header says if
//  what
//    is beyond is zero (a newer sender), and shorter down to the end of version 1's members (an
//    older one: what is missing counts as zero). Nothing else is accepted: EPROTO.
//  - Every packet has its sender's version. A newer agent begins with what version 1 knows (kState)
//    and then says nothing that the shim's version does not know; plans are written in that version
//    too. Shims never meet an older agent.
//  - Descriptors are named by their place among those of the message; -1 is none. A descriptor that
//    no member names is an error (EPROTO): none is dropped silently. The shim closes all it
//    receives when the request is done, but those it says that it keeps.
//  - Failures are typed: Failed{step, error, detail}. Texts for people are the agent's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace podium::runtime::shim {

inline constexpr uint32_t kMessageMagic = 0x6d687370;  // "pshm"
// 2: Hello.log_bound, kProcessStart.
inline constexpr uint16_t kMessageVersion = 2;

inline constexpr size_t kMaxMessage = 32768;
inline constexpr size_t kMaxDescriptors = 240;  // the kernel's SCM_MAX_FD is 253
inline constexpr size_t kIdSize = 72;           // a NUL-ended id of [a-zA-Z0-9_.-], not "." or ".."
inline constexpr size_t kHostnameSize = 65;     // NUL-ended
inline constexpr size_t kLabelSize = 256;       // NUL-ended
inline constexpr size_t kMaxCgroups = 16;
inline constexpr size_t kMaxIdMappings = 8;
inline constexpr size_t kMaxContainers = 256;  // that the shim remembers at once
inline constexpr size_t kMaxExecs = 256;       // that run at once
inline constexpr size_t kDetailSize = 256;

// The descriptor that the shim's program finds its first connection at. Its argv is {"podium-shim",
// a text of at least kIdSize - 1 characters}: the text is overwritten with the sandbox's id once it
// has one, so that `ps` shows it. It needs nothing else: no environment, no other descriptor, any
// working directory. A shim without a sandbox ends with its first connection.
inline constexpr int kControlDescriptor = 3;
// What follows it in the environment, if it is set: kinds of the descriptors from 4 on, one
// character each. First, if given, the version 2 cgroup that the shim is to be in: it is then
// another process, its maker's child too, than the one that was started, which ends at once
// (HelloReply has its pid). Then the `tasks` of version 1 cgroups.
inline constexpr char kCgroupsVariable[] = "CGROUPS=";
inline constexpr char kCgroupFolder = 'f';
inline constexpr char kCgroupTasks = 't';

enum class MessageType : uint16_t {
  // Requests.
  kHello = 1,        // Hello -> HelloReply
  kRunSandbox,       // RunSandbox -> SandboxRunning
  kCreateContainer,  // CreateContainer -> ContainerCreated; with kProcessStart Started
  kStartContainer,   // Target -> Started
  kExec,             // Exec -> ExecStarted
  kSignal,           // Signal -> Done
  kResizeTerminal,   // ResizeTerminal -> Done
  kAttach,           // Attach -> Attached
  kCloseStdin,       // Target -> Done
  kReopenLog,        // ReopenLog -> Done
  kState,            // Plain -> SandboxState, ProcessInfo for each process, kStateEnd
  kRemoveContainer,  // Target -> Done; the container is forgotten. EBUSY while it runs; one that
                     // was
                     // created and never started is killed first
  kShutdown,         // Plain -> Done when every process of the pod is gone; then the shim ends

  // Replies.
  kDone = 64,         // Plain
  kFailed,            // Failed
  kHelloReply,        // Hello
  kSandboxRunning,    // SandboxRunning
  kContainerCreated,  // ProcessInfo
  kStarted,           // ProcessInfo
  kExecStarted,       // ProcessInfo
  kAttached,          // Attached
  kSandboxState,      // SandboxState
  kProcessState,      // ProcessInfo
  kStateEnd,          // Plain

  // Events.
  kProcessExited = 128,  // ProcessInfo: infra, a container or an exec ended. The infra process ends
                         // last: by then every process of the pod that it guards is gone. A
                         // container's record is on disk before this is sent
  kLogTrouble,           // LogTrouble: a log file took no more, or takes it again
  kLogGrown,             // LogGrown: another kLogStep bytes are in a log file, or output waits
};

struct Header {
  uint32_t magic;    // kMessageMagic
  uint16_t version;  // kMessageVersion of the sender
  MessageType type;
  uint32_t length;       // bytes of the message, this header included
  uint32_t descriptors;  // how many travel beside it
  uint64_t id;
};
static_assert(sizeof(Header) == 24);

// A message without members of its own.
struct Plain {
  Header header;
};

struct Hello {
  Header header;
  uint32_t version;  // of the one who speaks
  int32_t pid;       // HelloReply: the shim's. Hello: 0
  // Version 2. Who says this rotates logs, and a container whose log has so many bytes is held
  // back: its output waits in its pipe or terminal, and its growth is told again and again, until
  // kReopenLog or for kLogPatience; then the file grows on until it is reopened. 0: held back for
  // nobody. It ends with the connection, so that containers go on when the agent is killed or
  // replaced; of several connections the largest counts. HelloReply: 0.
  uint64_t log_bound;
};
inline constexpr uint64_t kLogPatience = 10'000'000'000;  // ns

struct IdMapping {
  uint32_t inside;
  uint32_t outside;
  uint32_t length;
};

// Which cgroups a process starts in. Version 2: one descriptor of the folder (O_PATH is enough),
// used with CLONE_INTO_CGROUP. Version 1: a descriptor of each hierarchy's `tasks` (or, slower, its
// cgroup.procs), open for writing: the process writes "0" before it does anything else. Both may be
// given (hybrid).
// `kill`, if given: the version 2 cgroup.kill, open for writing; the shim keeps it as long as it
// remembers the process.
struct CgroupDescriptors {
  int32_t folder;
  int32_t kill;
  uint32_t procs_count;
  int32_t procs[kMaxCgroups];
};

enum : uint32_t {
  // Namespaces that RunSandbox makes. What is not made and not given is the shim's, that is the
  // host's.
  kSandboxNewNet = 1U << 0,  // else `net` is joined, else the host's
  kSandboxNewIpc = 1U << 1,
  kSandboxNewUts = 1U << 2,
  // The pod's own pid namespace. The infra process is its PID 1, and containers are in it or in
  // namespaces nested in it: when infra ends, the kernel ends them all. Without it (hostPID) the
  // shim and infra do what they can: kill descriptors, PR_SET_PDEATHSIG.
  kSandboxNewPid = 1U << 3,
  // A user namespace that owns those above; needs mappings. `net` must then be none.
  kSandboxNewUser = 1U << 4,
  // Makes namespaces and infra ahead, for a pod that has no name yet: id, hostname, sysctls,
  // listener and run_dir are empty. A second RunSandbox without this flag, with the same namespace
  // flags, and with no network, infra program, shm_size and mappings, names it.
  kSandboxPrepare = 1U << 8,
};

// Makes the pod: its namespaces and its first process, infra.
struct RunSandbox {
  Header header;
  uint32_t flags;
  char id[kIdSize];
  char hostname[kHostnameSize];  // "": left as it is. Needs kSandboxNewUts
  char padding[3];
  int32_t listener;  // kept: a listening SOCK_SEQPACKET socket, mode 0600, whose clients
                     // must be of user 0. -1: none but the first connection
  int32_t run_dir;   // kept: the sandbox's folder; containers/<id>/exit is written below it
  int32_t net;       // a network namespace to join, or -1
  int32_t infra;     // the infra program, a sealed memfd
  CgroupDescriptors cgroups;  // of infra; `kill` is the pod's and ends every process of it
  int32_t infra_oom_score_adj;
  uint64_t shm_size;  // bytes of the pod's shared /dev/shm (kMountPodShm); 0: none
  uint32_t uid_mapping_count;
  uint32_t gid_mapping_count;
  IdMapping uid_mappings[kMaxIdMappings];
  IdMapping gid_mappings[kMaxIdMappings];
  // SELinux: what the pod's containers share through the shim gets this label; "": stays as it is.
  char mount_label[kLabelSize];
  // From sysctl_offset of the message to its end, sysctl_count pairs: "net/ipv4/ip_forward\0"
  // "1\0". Only what belongs to namespaces of the pod's own: net/, and with an IPC namespace
  // kernel/shm*, kernel/msg*, kernel/sem and fs/mqueue/. Others are refused: they are the host's. 0
  // and 0: none.
  uint32_t sysctl_count;
  uint32_t sysctl_offset;
};

// Descriptors: 0 infra's pidfd, 1 the network namespace.
struct SandboxRunning {
  Header header;
  int32_t infra_pid;
  // Infra's oom_score_adj could not be lowered: no CAP_SYS_RESOURCE (1), else 0.
  uint32_t oom_score_refused;
  uint64_t started_ns;  // CLOCK_REALTIME
};

enum : uint32_t {
  kProcessTerminal = 1U << 0,  // a terminal of its own; there is no stderr then
  kProcessStdin = 1U << 1,     // containers: stdin is a pipe that stays open until kCloseStdin;
                               // without it, and without a terminal, stdin is /dev/null
  // Version 2. Containers: none waits for kStartContainer, which spares an answer, a request, and
  // the waking of who reads them.
  kProcessStart = 1U << 2,
};

// Makes the container's process and all its world, up to the last step before its program: the root
// is mounted, user and capabilities are set, the program has been found. It then waits for
// kStartContainer, so that a start is one message and one execve; with kProcessStart it goes on. A
// container that CRI calls created may have this process or not; what the agent does in CRI's
// CreateContainer is its choice.
struct CreateContainer {
  Header header;
  uint32_t flags;
  char id[kIdSize];
  int32_t plan;  // a sealed memfd with a plan (plan_layout.h)
  int32_t log;   // kept: the log file, opened with O_APPEND; -1: output is read and thrown away
  CgroupDescriptors cgroups;
  uint16_t rows, columns;  // of the terminal; 0: not set
  // The plan's own descriptors are these, in this order: the plan's 0 is the message's
  // first_plan_descriptor.
  uint32_t first_plan_descriptor;
  uint32_t plan_descriptor_count;
  // "", or a container that runs: the new one is in its pid namespace, whichever that is. Not with
  // kPlanNewPid.
  char target[kIdSize];
};

// A further process in a container that runs. It starts at once: no kStartContainer.
struct Exec {
  Header header;
  uint32_t flags;
  char id[kIdSize];  // of the exec; not one of those that run
  char container[kIdSize];
  int32_t plan;  // without mounts and root
  // What becomes its stdin, stdout and stderr; -1: /dev/null. With kProcessTerminal all are -1, and
  // the terminal comes with the reply.
  int32_t stdio[3];
  CgroupDescriptors cgroups;  // `kill` is none
  uint16_t rows, columns;
};

// What a process is, and what has become of it.
enum class ProcessKind : uint32_t { kInfra = 1, kContainer, kExec };
enum class ProcessPhase : uint32_t { kCreating = 1, kCreated, kRunning, kExited };

struct ProcessState {
  char id[kIdSize];         // of the container or exec; infra: of the sandbox
  char container[kIdSize];  // exec: the container's id; else ""
  ProcessKind kind;
  ProcessPhase phase;
  int32_t pid;          // as the shim's pid namespace (the host's) counts; 0 once it ended
  int32_t exit_code;    // 128 + signal for one that a signal ended
  int32_t exit_signal;  // or 0
  // Set if the process ended before it was started: what failed (FailedStep), and errno.
  uint32_t failed_step;
  int32_t failed_error;
  // What could not be done and was gone on without: kRefused... bits.
  uint32_t refused;
  uint64_t created_ns;   // CLOCK_REALTIME; 0: not yet
  uint64_t started_ns;   // likewise
  uint64_t finished_ns;  // likewise
  uint64_t log_lost;     // bytes that the log file did not take
  uint64_t attach_lost;  // bytes that attached readers were too slow for
};

enum : uint32_t {
  kRefusedOomScore = 1U << 0,  // oom_score_adj not lowered (no CAP_SYS_RESOURCE)
  kRefusedRlimit =
      1U << 1,  // a hard limit not raised (likewise); the soft one was, as far as it goes
};

// kContainerCreated and kExecStarted, kStarted, kProcessExited, kProcessState. Descriptors: the
// pidfd of a process that exists (kContainerCreated, kExecStarted, kProcessState); then the
// terminal (kExecStarted with kProcessTerminal).
struct ProcessInfo {
  Header header;
  ProcessState state;
};

// The container's record on disk, RUN/sandboxes/<sandbox>/containers/<container>/exit. It is
// renamed into place. The folder is made by the agent; if it is gone, nothing is written. It must
// survive processes, not the machine: no process survives that either, so it is not fsynced.
struct ExitRecord {
  uint32_t magic;    // kExitMagic
  uint32_t version;  // kMessageVersion
  ProcessState state;
};
inline constexpr uint32_t kExitMagic = 0x74697870;  // "pxit"

// Whom a request is for. StartContainer, CloseStdin, RemoveContainer.
struct Target {
  Header header;
  char id[kIdSize];
};

enum : uint32_t {
  // SIGKILL to every process of the container: by its kill descriptor, else, if it has a pid
  // namespace of its own, by its first process; else ENOTSUP, and the agent's cgroups must do it.
  kSignalAll = 1U << 0,
};

struct Signal {
  Header header;
  ProcessKind kind;  // kInfra ends the pod with SIGKILL (or SIGTERM: infra ends at once too)
  uint32_t flags;
  char id[kIdSize];  // kInfra: ""
  int32_t signal;
};

struct ResizeTerminal {
  Header header;
  char id[kIdSize];  // of a container; who started an exec holds its terminal
  uint16_t rows, columns;
};

// Copies a container's output to further descriptors, from now on, until it ends or the reader
// closes. The shim never waits for these readers: what one is too slow for is left out and counted.
struct Attach {
  Header header;
  uint32_t flags;  // kProcessStdin: hand out stdin
  char id[kIdSize];
  int32_t stdout_fd;  // kept; or -1. Pipes or sockets; made non-blocking
  int32_t stderr_fd;  // kept; or -1
};

// Descriptors: with kProcessStdin the writing end of stdin, or the terminal.
struct Attached {
  Header header;
};

struct ReopenLog {
  Header header;
  char id[kIdSize];
  int32_t log;  // kept, in place of the old one
};

struct SandboxState {
  Header header;
  char id[kIdSize];
  uint32_t flags;    // as in RunSandbox; kSandboxPrepare while it has no name
  uint32_t phase;    // ProcessPhase of infra; 0: no sandbox yet
  uint32_t entries;  // how many kProcessState messages follow; infra's is the first
};

struct LogTrouble {
  Header header;
  char id[kIdSize];  // of the container
  int32_t error;     // ENOSPC, EDQUOT, EIO, ...; 0: it takes lines again
  uint64_t lost;     // bytes so far
};

// So that whoever rotates logs need not look all the time, and is there in time. Of output that is
// held back (Hello) it is told at once and every kLogReminder.
inline constexpr uint64_t kLogStep = uint64_t{1} << 20;
inline constexpr uint64_t kLogReminder = 250'000'000;  // ns
struct LogGrown {
  Header header;
  char id[kIdSize];  // of the container
  uint64_t written;  // bytes since the file was given to the shim
};

// Where a request failed. Numbers are part of the protocol: append only.
enum class FailedStep : uint32_t {
  kNone = 0,
  kMessage = 1,        // the message itself: EPROTO, EINVAL
  kUnknownTarget = 2,  // ENOENT: no such container, exec or sandbox
  kWrongPhase = 3,     // EEXIST, EBUSY, EINVAL: not now
  kTooMany = 4,        // kMaxContainers, kMaxExecs
  kPlan = 5,           // the plan is malformed
  kSpawn = 6,          // clone3, socketpair, pidfd
  kCgroup = 7,
  kNamespace = 8,  // setns, unshare
  kUserMap = 9,
  kHostname = 10,
  kSysctl = 11,  // detail: its name
  kInfraProgram = 12,
  kOomScore = 13,
  kShm = 14,
  kRoot = 15,      // the root file system cannot be attached or entered
  kMount = 16,     // detail: the target; the same for the next ones
  kDevice = 17,    //
  kMask = 18,      //
  kReadOnly = 19,  //
  kLink = 20,      //
  kFolder = 21,    //
  kTerminal = 22,
  kStdio = 23,
  kRlimit = 24,  // detail: its number
  kCapabilities = 25,
  kUser = 26,
  kNoNewPrivileges = 27,
  kSeccomp = 28,
  kLabel = 29,             // AppArmor, SELinux
  kWorkingDirectory = 30,  // detail: the path. EPERM: it is outside the root
  kFindProgram = 31,       // detail: argv[0]. ENOENT, EACCES, EISDIR, ...
  kStartProgram = 32,      // detail: the path found. ENOEXEC, ELOOP, ...
  kDied = 33,              // the process ended by itself or was killed before its program ran
  kSignal = 34,
  kTerminalSize = 35,
  kLog = 36,
};

struct Failed {
  Header header;
  FailedStep step;
  int32_t error;             // errno
  char detail[kDetailSize];  // NUL-ended: a path or name, cut at the end if it is too long
};

}  // namespace podium::runtime::shim
