// Drives the real shim over its socket, with a root file system made of a static busybox, in mount
// and network namespaces of the test's own. The test is the subreaper of all it starts: what is
// left over at the end is found and is a failure.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/messages.h"
#include "runtime/plan.h"

namespace podium::runtime::shim {

// One packet from the shim.
struct Answer {
  std::string bytes;
  std::vector<UniqueFd> descriptors;

  MessageType type() const { return As<Header>().type; }
  template <class T>
  T As() const {
    T message = {};
    std::memcpy(&message, bytes.data(), bytes.size() < sizeof(T) ? bytes.size() : sizeof(T));
    return message;
  }
  // "" for anything but a failure; else "<step> <errno> <detail>".
  std::string Failure() const;
};

struct PodOptions {
  uint32_t flags = kSandboxNewNet | kSandboxNewIpc | kSandboxNewUts | kSandboxNewPid;
  std::string id = "pod1";
  std::string hostname = "web-0";
  std::vector<std::string> sysctls = {};  // name, value, name, value
  int net = -1;
  int kill = -1;
  int cgroup = -1;
  std::vector<int> procs = {};
  uint64_t shm_size = 0;
  bool listen = true;
  int32_t oom_score_adj = 0;
};

struct ContainerOptions {
  uint32_t flags = 0;
  std::vector<int> descriptors = {};  // the plan's, after the root, which is number 0
  int cgroup = -1;
  int kill = -1;
  std::vector<int> procs = {};
  uint16_t rows = 0;
  uint16_t columns = 0;
  bool log = true;
  int log_fd = -1;  // instead of a file of its own
};

struct Output {
  ProcessState state = {};
  std::string log;  // contents of all entries, joined
  std::string failure;
};

// A shim and what talks to it.
class Pod {
 public:
  Pod();
  // Ends all, and checks that the shim has gone.
  ~Pod();
  Pod(const Pod&) = delete;
  Pod& operator=(const Pod&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& folder() const { return folder_; }
  int control() const { return control_.get(); }
  void SetControl(UniqueFd fd) { control_ = std::move(fd); }
  // The next packet; fails the test and gives an empty one after ten seconds.
  Answer Receive();
  // Sends and gives the answer; events that come before it are kept.
  Answer Ask(std::string message, const std::vector<int>& descriptors = {});
  template <class T>
  Answer Ask(MessageType type, T message, const std::vector<int>& descriptors = {}) {
    message.header.type = type;
    return Ask(std::string(reinterpret_cast<const char*>(&message), sizeof(message)), descriptors);
  }
  Answer AskAbout(MessageType type, std::string_view id);

  Answer Run(const PodOptions& options = {});
  Answer Create(std::string_view id, const Plan& plan, const ContainerOptions& options = {});
  Answer Start(std::string_view id) { return AskAbout(MessageType::kStartContainer, id); }
  Answer Exec(std::string_view id, std::string_view container, const Plan& plan,
              std::vector<int> stdio = {}, uint32_t flags = 0);
  Answer Signal(ProcessKind kind, std::string_view id, int signal, uint32_t flags = 0);
  // The event of a process's end.
  ProcessState AwaitExit(std::string_view id);
  // The next event of a type, kept or to come.
  Answer AwaitEvent(MessageType type);
  // Creates, starts, waits.
  Output RunToEnd(std::string_view id, const Plan& plan, const ContainerOptions& options = {});
  // Runs a command in a container; its output and exit code.
  Output ExecToEnd(std::string_view id, std::string_view container, const Plan& plan);

  std::string RawLog(std::string_view id) const;
  std::string Log(std::string_view id) const;
  ExitRecord Record(std::string_view id) const;
  UniqueFd Connect() const;
  void Abandon() { control_.reset(); }
  // Whether the shim has gone, reaped; waits.
  bool AwaitEnd();

 private:
  pid_t pid_ = 0;
  UniqueFd control_;
  std::string folder_;
  bool prepared_ = false;
  uint64_t last_id_ = 0;
  std::vector<Answer> events_;
};

class ShimTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;
};

// busybox's shell with a script, in the usual surroundings: proc, sys, dev, all of the capabilities
// that Docker gives, no filter.
Plan ShellPlan(const std::string& script);
Plan ProgramPlan(std::vector<std::string> arguments);
// The same without mounts and root.
Plan ExecPlan(std::vector<std::string> arguments);

// A sealed memfd of an encoded plan.
UniqueFd PlanFile(const Plan& plan);
UniqueFd SealedFile(std::string_view bytes);
// A detached copy of a path of the test's mount namespace.
UniqueFd CloneTree(const std::string& path);
std::string ReadAll(int fd);
std::string ReadPath(const std::string& path);
void WritePath(const std::string& path, std::string_view text);
void MakeFolderAt(const std::string& path);
// A line of /proc/PID/status, without its name.
std::string StatusField(int32_t pid, const std::string& name);

// All below this folder is the test's: /mnt/shim, a tmpfs.
inline constexpr const char* kBase = "/mnt";
inline constexpr const char* kRootPath = "/mnt/root";

inline constexpr uint64_t kDockerCapabilities = 0xa80425fb;

}  // namespace podium::runtime::shim
