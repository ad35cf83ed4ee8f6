// Runtime: pod sandboxes and containers in the words of the Container Runtime Interface
// (k8s.io/cri-api runtime/v1 of Kubernetes 1.36; wire/types/cri.h). What CRI leaves open is as
// containerd's CRI plugin has it, because that is what kubelets and their users know: reasons,
// messages, exit codes, what is idempotent.
//
// A sandbox is the pod's surroundings: its namespaces, its infra process, its address. Its life is
// the infra process's life: READY while that runs, NOTREADY afterwards, until it is removed.
//
//   sandbox     RunPodSandbox -> READY -> (StopPodSandbox, or infra's end) -> NOTREADY -> removed
//   container   CreateContainer -> CREATED -> StartContainer -> RUNNING -> EXITED -> removed
//                                     \-> StartContainer fails -> EXITED (128, StartError)
//
// A container's exit: exit_code is the process's own, or 128 plus the signal that ended it; reason
// is OOMKilled when the kernel killed a process of it for memory, otherwise Completed (code 0) or
// Error; StartError with code 128 and the cause as message when its program could not be run;
// Unknown with code 255 when nobody saw its end.
//
// Ids are 64 hexadecimal digits. Wherever a call takes an id, an unambiguous beginning of one does
// as well. Names are unique: a second sandbox of the same name, namespace, uid and attempt, and a
// second container of the same name and attempt in a sandbox, is kAlreadyExists.
//
// Errors: kNotFound for an id that is unknown (where the call is not idempotent), kInvalidArgument
// for a configuration that can never work, with the field named, kUnsupported for what this kernel
// lacks, kUnavailable for what may work later. A call that fails leaves nothing of what it began.
//
// Threads: every method may be called from any thread. Calls on different sandboxes run in
// parallel; those on one sandbox and its containers are serialized, except that no call waits for a
// StopContainer that is in its grace period, an ExecSync or a session.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "wire/types/cri.h"

namespace podium::runtime {

namespace cri = wire::cri;

// Reasons of a container's end.
inline constexpr std::string_view kReasonCompleted = "Completed";
inline constexpr std::string_view kReasonError = "Error";
inline constexpr std::string_view kReasonOomKilled = "OOMKilled";
inline constexpr std::string_view kReasonStartError = "StartError";
inline constexpr std::string_view kReasonUnknown = "Unknown";
inline constexpr int32_t kStartErrorCode = 128;
inline constexpr int32_t kUnknownCode = 255;

// What an ExecSync keeps of each stream, as kubelet's own limit (16 MiB); the rest is read and
// dropped.
inline constexpr size_t kMaxExecSyncOutput = size_t{16} << 20;

// An open file or folder that is mounted instead of mounts[index].host_path, which is then only
// shown in the status. How volumes with a subPath are given: whoever resolved the path inside the
// volume holds the very inode, and no rename in between can put another in its place
// (CVE-2021-25741).
struct MountSource {
  size_t index = 0;
  UniqueFd fd;  // O_PATH will do
};

// A process of a container that listens at a TCP port, or takes datagrams at a UDP port.
struct PortHolder {
  cri::Protocol protocol = cri::Protocol::kTcp;
  uint16_t port = 0;
  std::string container_id;
  std::string container_name;
  // Only where the container is of another pod than the one that is asked about.
  std::string pod_namespace;
  std::string pod_name;
  pid_t pid = 0;        // as this machine counts
  std::string program;  // its name, as the kernel has it

  friend bool operator==(const PortHolder&, const PortHolder&) = default;
};

struct WindowSize {
  uint16_t columns = 0;  // 0, both of them: nobody said
  uint16_t rows = 0;
};

// A process's streams as seen from outside: an exec, or an attachment to a container's first
// process.
//
// Descriptors belong to the session and are close-on-exec. -1 where the stream was not asked for.
// With a terminal, stdin and stdout are one terminal's two directions and there is no stderr.
class Session {
 public:
  virtual ~Session() = default;

  // To write to. CloseStdin lets the process read end-of-file; for an attachment that is so only
  // where the container has stdin_once.
  virtual int stdin_fd() const = 0;
  virtual void CloseStdin() = 0;
  // To read from until end-of-file. Whoever reads slowly slows the process down, never the agent.
  virtual int stdout_fd() const = 0;
  virtual int stderr_fd() const = 0;

  // kInvalidArgument without a terminal.
  virtual Result<void> Resize(uint16_t columns, uint16_t rows) = 0;

  // Waits for the process's end: its exit code, or 128 plus its signal. kDeadlineExceeded when it
  // runs on, kUnavailable when the shim is gone and nobody knows. May be called from another thread
  // than those that read and write.
  virtual Result<int32_t> Wait(std::chrono::milliseconds timeout) = 0;
  // Calls `ended` once Wait has something to say: from a thread of the runtime, or at once; never
  // when the session is gone before. To be called once. `ended` must return soon, and does not call
  // the runtime.
  virtual void NotifyEnd(std::function<void()> ended) = 0;
};
// An exec'd process dies (SIGKILL) with its session; an attachment's end lets the container be.

// ContainerStarted and so on, sandboxes included (container_id is then the sandbox's id), as
// GetContainerEvents delivers them: with the status of the sandbox and of its containers. Called
// from threads of the runtime, one event after the other, in order for one container; must return
// soon and may call the runtime's status and list methods only.
using EventHandler = std::function<void(const cri::ContainerEventResponse&)>;

// The log of a container has become larger: bytes written since it was made or reopened, told about
// every MiB, so that it can be rotated in time, and several times a second while the container is
// held back (SetLogHandler). Called as an EventHandler is, and must return soon.
using LogHandler = std::function<void(const std::string& container_id, uint64_t written)>;

// What Recover found. Ids.
struct Recovery {
  std::vector<std::string> ready;      // sandboxes that live
  std::vector<std::string> not_ready;  // whose shim or infra process is gone
  std::vector<std::string> undone;     // half-made by one who died: nothing is left of them
  std::vector<std::string> problems;   // in words, for the log; none keeps the others from working
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  // Adopts what an earlier process of this instance left: finishes or undoes what it had begun and
  // finds everything that lives. To be called once, before any other method.
  virtual Result<Recovery> Recover() = 0;

  // Null: none. To be set before Recover.
  virtual void SetEventHandler(EventHandler handler) = 0;
  // Where `bound` is not 0, a running container whose log has so many bytes is held back: its
  // output is not read, and it waits, until ReopenContainerLog, for ten seconds at the most. Its
  // log is then little larger than that. It is not held back while no process of this instance
  // runs, nor by sandboxes of a version that does not know of it.
  virtual void SetLogHandler(LogHandler handler, uint64_t bound) = 0;

  // RuntimeReady and NetworkReady, with reason and message when they are false, runtime_handlers
  // and features.
  virtual Result<cri::StatusResponse> Status() = 0;
  virtual cri::RuntimeConfigResponse RuntimeConfig() = 0;

  // The sandbox's id. It is READY: namespaces, infra process, address. runtime_handler is "" or
  // "podium".
  virtual Result<std::string> RunPodSandbox(const cri::PodSandboxConfig& config,
                                            std::string_view runtime_handler) = 0;
  // Kills its containers, ends its infra process, gives its address back. Idempotent; an unknown id
  // is no error.
  virtual Result<void> StopPodSandbox(std::string_view sandbox_id) = 0;
  // Stops it if need be, removes its containers and all that is left. Idempotent likewise.
  virtual Result<void> RemovePodSandbox(std::string_view sandbox_id) = 0;
  // With the statuses of its containers. Verbose: info["info"] is a JSON object with the pids and
  // the namespaces' inodes.
  virtual Result<cri::PodSandboxStatusResponse> PodSandboxStatus(std::string_view sandbox_id,
                                                                 bool verbose) = 0;
  virtual Result<std::vector<cri::PodSandbox>> ListPodSandbox(
      const cri::PodSandboxFilter& filter) = 0;
  // The limits of the pod's own cgroup; overhead and resources as in LinuxPodSandboxConfig.
  virtual Result<void> UpdatePodSandboxResources(std::string_view sandbox_id,
                                                 const cri::LinuxContainerResources& resources) = 0;

  // The container's id. config.image.image names the image as the image store knows it: an id, or a
  // reference that is present. kNotFound without the image. The sandbox must be READY.
  virtual Result<std::string> CreateContainer(std::string_view sandbox_id,
                                              const cri::ContainerConfig& config,
                                              std::vector<MountSource> sources) = 0;
  // Returns when the container's program has been executed. When that fails the container is
  // EXITED with StartError, and the error says why.
  virtual Result<void> StartContainer(std::string_view container_id) = 0;
  // Sends the stop signal, waits for at most `timeout`, then kills everything in it. Idempotent; a
  // container that does not run, or is unknown, is no error. A second call with a shorter timeout
  // shortens the first.
  virtual Result<void> StopContainer(std::string_view container_id,
                                     std::chrono::seconds timeout) = 0;
  // Kills it if it runs, and drops its writable layer; the log file stays. Idempotent.
  virtual Result<void> RemoveContainer(std::string_view container_id) = 0;
  virtual Result<std::vector<cri::Container>> ListContainers(
      const cri::ContainerFilter& filter) = 0;
  // Verbose: as PodSandboxStatus.
  virtual Result<cri::ContainerStatusResponse> ContainerStatus(std::string_view container_id,
                                                               bool verbose) = 0;
  virtual Result<void> UpdateContainerResources(std::string_view container_id,
                                                const cri::LinuxContainerResources& resources) = 0;
  // The container must run.
  virtual Result<void> ReopenContainerLog(std::string_view container_id) = 0;

  // A timeout of zero means none. kDeadlineExceeded when it ran out: the process is then dead, and
  // the message is upstream's ("command timed out"). The container must run.
  virtual Result<cri::ExecSyncResponse> ExecSync(std::string_view container_id,
                                                 const std::vector<std::string>& command,
                                                 std::chrono::seconds timeout) = 0;
  // `window`: of the terminal from the first moment, where there is one.
  virtual Result<std::unique_ptr<Session>> Exec(const cri::ExecRequest& request,
                                                const WindowSize& window) = 0;
  virtual Result<std::unique_ptr<Session>> Attach(const cri::AttachRequest& request) = 0;
  // A stream socket connected to localhost:port (IPv4, then IPv6) inside the sandbox's network.
  virtual Result<UniqueFd> PortForward(std::string_view sandbox_id, uint16_t port) = 0;

  // Who holds ports in the sandbox's network: its own containers or, where that is the host's
  // network, all that share it. By protocol and port, one for each and container. What comes or
  // goes while this looks may be missing. kNotFound, also without an infra process.
  virtual Result<std::vector<PortHolder>> PortHolders(std::string_view sandbox_id) = 0;

  virtual Result<cri::ContainerStats> ContainerStats(std::string_view container_id) = 0;
  virtual Result<std::vector<cri::ContainerStats>> ListContainerStats(
      const cri::ContainerStatsFilter& filter) = 0;
  virtual Result<cri::PodSandboxStats> PodSandboxStats(std::string_view sandbox_id) = 0;
  virtual Result<std::vector<cri::PodSandboxStats>> ListPodSandboxStats(
      const cri::PodSandboxStatsFilter& filter) = 0;
};

}  // namespace podium::runtime
