// shim.h: the state of a pod's shim, and how its files hang together. Private to this folder.
//
//   main.cpp         start, the event loop
//   own_root.cpp     the empty root that the shim, infra and nothing else live in
//   requests.cpp     what each request does
//   connection.cpp   packets and descriptors in and out
//   sandbox.cpp      namespaces and infra
//   spawn.cpp        processes: from clone3 to "it runs"
//   reap.cpp         processes: from "it ended" to the record on disk and the event
//   output.cpp       logs and attached readers
//   hold.cpp         containers whose output waits for their log to be rotated
//   stage*.cpp       what a new process does until its program runs (stage.h)
//
// One thread, no allocation, no C library. Tables are fixed and start as zeros: pages of them that
// were never used cost nothing. What a zero would mean wrongly (descriptors) is set when a place is
// taken.
#pragma once

#include <linux/sched.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/messages.h"
#include "runtime/shim/request_reader.h"

namespace podium::runtime::shim {

inline constexpr size_t kMaxProcesses = kMaxContainers + kMaxExecs;
inline constexpr size_t kMaxConnections = 16;
inline constexpr size_t kMaxAttached = 8;  // readers of one container

struct StageJob;

// Descriptors that came with a request. What nobody takes is closed at its end.
struct Received {
  int fds[kMaxDescriptors];
  uint32_t count = 0;

  int Peek(int32_t index) const { return index < 0 ? -1 : fds[index]; }
  int Take(int32_t index) {
    if (index < 0) return -1;
    const int fd = fds[index];
    fds[index] = -1;
    return fd;
  }
};

// Where a reply goes: a connection and the request's id. The generation tells a connection from a
// later one in the same place.
struct ReplyTo {
  uint32_t connection;  // its place plus one; 0: nowhere
  uint32_t generation;
  uint64_t id;
};

struct Connection {
  int fd;
  uint32_t generation;
  uint64_t log_bound;  // Hello's
};

struct Stream {
  int fd;
  char* partial;  // kPartialSize bytes, mapped when first needed
  uint32_t partial_size;
};

struct Process {
  bool used;
  uint32_t generation;
  ProcessState state;
  uint32_t plan_flags;  // of a container's plan
  bool starting;        // StartContainer has come; its program will run, or not
  bool torn;            // the log ends inside a line
  bool log_failing;     // its last write failed
  bool removing;        // RemoveContainer waits for its end
  int pidfd;
  int status;    // the stage's socket until its program runs
  int terminal;  // containers keep it; an exec's goes to who asked
  int stdin_pipe;
  int log;
  uint64_t log_written;   // since it was given to us
  uint64_t log_reported;  // of that, when it was told last
  uint64_t held_since;    // CLOCK_MONOTONIC, ns; 0: its output is read
  uint64_t reminded;      // likewise; while it is held
  bool let_go;            // held for long enough: not again before the log is reopened
  int kill;
  Stream streams[2];
  int attached[kMaxAttached][2];
  ReplyTo reply;  // of the request that waits for this process
};

struct Sandbox {
  bool exists;
  uint32_t flags;
  bool own_net;  // made or joined: not the host's
  ProcessState infra;
  int infra_pidfd;
  bool has_proc;  // a proc of its pid namespace is mounted in our root
  int run_dir;
  int kill;
};

struct Shim {
  int epoll;
  int signals;
  int null;
  int proc;  // a proc file system that no container has ever seen
  int self;  // our own pidfd
  int listener;
  char* title;  // argv[1]
  size_t title_size;
  bool holding;  // a container may be held back
  bool shutting_down;
  ReplyTo shutdown_reply;
  Sandbox sandbox;
  Connection connections[kMaxConnections];
  size_t process_count;  // places in use are below
  Process processes[kMaxProcesses];
};

// NOLINTNEXTLINE(bugprone-dynamic-static-initializers): constinit says that it is not.
extern constinit Shim g_shim;

// What an epoll event is about.
enum class Watched : uint8_t { kListener, kConnection, kSignals, kStatus, kStream };
void Watch(int fd, Watched kind, uint32_t index, uint32_t generation, uint32_t stream = 0);

// Of this descriptor nothing is heard any more, until Watch. One that is not watched is no error.
void Unwatch(int fd);

uint64_t Now();  // CLOCK_REALTIME, ns
uint64_t MonotonicNow();
void CloseFd(int* fd);
void CopyText(std::string_view from, char* to, size_t size);  // cut if need be, NUL-ended

// connection.cpp
void AcceptConnection();
void AddConnection(int fd);
void ReadConnection(uint32_t index);
// Any message: header's length, descriptor count, magic and version are filled in here.
void Reply(const ReplyTo& to, MessageType type, Header* message, size_t size,
           std::span<const int> fds = {});
void ReplyDone(const ReplyTo& to);
void ReplyFailed(const ReplyTo& to, FailedStep step, int error, std::string_view detail = "");
void SendEvent(MessageType type, Header* message, size_t size);

// requests.cpp
void Handle(const ReplyTo& from, const Request& request, Received& received);

// sandbox.cpp
void RunPod(const ReplyTo& from, const Request& request, Received& received);
// Everything of the pod gets SIGKILL, infra last.
void KillPod();
// A proc of the pid namespace of a process, as a detached mount. 0 or an errno.
int MakeProc(int pidfd, int* mount);
// Mounts a proc of the pod's pid namespace in our root, for containers that share it, unless there
// is one: before the first of them runs, so that nobody sees it being done. 0 or an errno.
int HavePodProc();

// spawn.cpp
// A process: `job` is carried out by `stage` in it. Its status socket, ours, is *status. The
// process's id, or minus errno.
long Spawn(void (*stage)(const StageJob&), StageJob* job, const clone_args& clone, int* status);
// Tells the stage at the other end of `status` to go on.
void Go(int status);
void Create(const ReplyTo& from, const CreateContainer& request, Received& received);
void StartExec(const ReplyTo& from, const Exec& request, Received& received);
void Start(const ReplyTo& from, Process& process);
void WatchStreams(Process& process);
void ReadStatus(Process& process);
// No more comes of it: its program runs, or it died.
void CloseStatus(Process& process);
// What came beside a report: who sent it, in our own numbers, and a descriptor, or -1.
struct ControlData {
  int32_t pid = 0;
  int fd = -1;
};
ControlData ReadControl(const unsigned char* control, size_t size);
// Births in another pid namespace, unless `pidfd` is -1.
long SpawnInPidNamespace(int pidfd, void (*stage)(const StageJob&), StageJob* job,
                         const clone_args& clone, int* status);

// reap.cpp
void ReapAll();
Process* FindProcess(std::string_view id, ProcessKind kind);
Process* NewProcess(ProcessKind kind, std::string_view id);
void Forget(Process& process);

// output.cpp
void ReadStream(Process& process, uint32_t stream);
void FinishOutput(Process& process);  // what is still in the pipes, then readers are let go
void EndOutput(Process& process);     // also if others still hold the pipes
void AttachOutput(Process& process, int out, int err);
bool CanAttach(Process& process);
void ReportGrowth(Process& process);  // of its log

// hold.cpp
bool MustWait(const Process& process);
bool Hold(Process& process);  // false: it need not wait after all
// Lets go who need not wait any more. After how many milliseconds to look again; -1: no need.
int LookAtHeld();

}  // namespace podium::runtime::shim
