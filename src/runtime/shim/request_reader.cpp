#include "runtime/shim/request_reader.h"

#include <asm/errno.h>

namespace podium::runtime::shim {
namespace {

constexpr uint32_t kSandboxNamespaces =
    kSandboxNewNet | kSandboxNewIpc | kSandboxNewUts | kSandboxNewPid | kSandboxNewUser;

// Each descriptor that came is named exactly once.
class Descriptors {
 public:
  explicit Descriptors(uint32_t count) : count_(count) {}

  // An index, or -1.
  bool Optional(int32_t index) { return index == -1 || Needed(index); }
  bool Needed(int32_t index) {
    if (index < 0 || static_cast<uint32_t>(index) >= count_ || named_[index]) return false;
    named_[index] = true;
    ++seen_;
    return true;
  }
  bool Cgroups(const CgroupDescriptors& cgroups) {
    if (!Optional(cgroups.folder) || !Optional(cgroups.kill) || cgroups.procs_count > kMaxCgroups) {
      return false;
    }
    for (uint32_t i = 0; i < cgroups.procs_count; ++i) {
      if (!Needed(cgroups.procs[i])) return false;
    }
    return true;
  }
  bool Range(uint32_t first, uint32_t count) {
    if (count > count_ || first > count_ - count) return false;
    for (uint32_t i = 0; i < count; ++i) {
      if (!Needed(static_cast<int32_t>(first + i))) return false;
    }
    return true;
  }
  bool AllNamed() const { return seen_ == count_; }

 private:
  uint32_t count_;
  uint32_t seen_ = 0;
  bool named_[kMaxDescriptors] = {};
};

template <size_t size>
bool HasEnd(const char (&field)[size]) {
  return std::string_view(field, size).find('\0') != std::string_view::npos;
}

// Ids become file names.
bool IsId(const char (&field)[kIdSize]) {
  if (!HasEnd(field)) return false;
  const std::string_view id = FieldText(field);
  if (id.empty() || id == "." || id == "..") return false;
  for (const char c : id) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

bool AreMappings(const IdMapping* mappings, uint32_t count, bool needed) {
  if (count > kMaxIdMappings || (count > 0) != needed) return false;
  for (uint32_t i = 0; i < count; ++i) {
    if (mappings[i].length == 0) return false;
  }
  return true;
}

bool AreSysctls(const RunSandbox& run, std::span<const unsigned char> packet, Request* request) {
  if (run.sysctl_offset == 0) return run.sysctl_count == 0;
  if (run.sysctl_offset < offsetof(RunSandbox, sysctl_offset) + sizeof(run.sysctl_offset) ||
      run.sysctl_offset > packet.size()) {
    return false;
  }
  const auto tail = packet.subspan(run.sysctl_offset);
  request->sysctls = {reinterpret_cast<const char*>(tail.data()), tail.size()};
  std::string_view rest = request->sysctls;
  for (uint32_t i = 0; i < run.sysctl_count; ++i) {
    std::string_view name;
    std::string_view value;
    if (!TakeText(&rest, &name) || !TakeText(&rest, &value)) return false;
  }
  if (!rest.empty()) return false;
  // Of a pod made ahead, only the shim knows whose network it has.
  const bool named_later = run.infra == -1;
  return AreNamespacedSysctls(request->sysctls, named_later || HasOwnNet(run),
                              (run.flags & kSandboxNewIpc) != 0);
}

bool CheckRunSandbox(const RunSandbox& run, Descriptors& descriptors) {
  const bool prepare = (run.flags & kSandboxPrepare) != 0;
  const bool user = (run.flags & kSandboxNewUser) != 0;
  if ((run.flags & ~(kSandboxNamespaces | kSandboxPrepare)) != 0 || !HasEnd(run.hostname) ||
      !HasEnd(run.mount_label)) {
    return false;
  }
  if (prepare ? run.id[0] != '\0' || run.hostname[0] != '\0' || run.mount_label[0] != '\0' ||
                    run.sysctl_count != 0 || run.listener != -1 || run.run_dir != -1
              : !IsId(run.id)) {
    return false;
  }
  if (run.hostname[0] != '\0' && (run.flags & kSandboxNewUts) == 0) return false;
  // A namespace made outside would not belong to the user namespace.
  if (run.net >= 0 && ((run.flags & kSandboxNewNet) != 0 || user)) return false;
  // A prepared pod has its mappings already; its user namespace is not seen from here.
  const bool named_later = run.infra == -1;
  return descriptors.Optional(run.listener) && descriptors.Optional(run.run_dir) &&
         descriptors.Optional(run.net) && descriptors.Optional(run.infra) &&
         descriptors.Cgroups(run.cgroups) &&
         AreMappings(run.uid_mappings, run.uid_mapping_count, user && !named_later) &&
         AreMappings(run.gid_mappings, run.gid_mapping_count, user && !named_later);
}

bool CheckExec(const Exec& exec, Descriptors& descriptors) {
  const bool terminal = (exec.flags & kProcessTerminal) != 0;
  if ((exec.flags & ~kProcessTerminal) != 0 || !IsId(exec.id) || !IsId(exec.container) ||
      exec.cgroups.kill != -1 || !descriptors.Needed(exec.plan) ||
      !descriptors.Cgroups(exec.cgroups)) {
    return false;
  }
  for (const int32_t fd : exec.stdio) {
    if (terminal ? fd != -1 : !descriptors.Optional(fd)) return false;
  }
  return true;
}

bool CheckCreateContainer(const CreateContainer& create, Descriptors& descriptors) {
  return (create.flags & ~(kProcessTerminal | kProcessStdin | kProcessStart)) == 0 &&
         IsId(create.id) && (create.target[0] == '\0' || IsId(create.target)) &&
         descriptors.Needed(create.plan) && descriptors.Optional(create.log) &&
         descriptors.Cgroups(create.cgroups) &&
         descriptors.Range(create.first_plan_descriptor, create.plan_descriptor_count);
}

bool CheckSignal(const Signal& signal) {
  constexpr int32_t kLastSignal = 64;
  if ((signal.flags & ~kSignalAll) != 0 || signal.signal < 1 || signal.signal > kLastSignal) {
    return false;
  }
  switch (signal.kind) {
    case ProcessKind::kInfra:
      return signal.id[0] == '\0' && signal.flags == 0;
    case ProcessKind::kContainer:
      return IsId(signal.id);
    case ProcessKind::kExec:
      return IsId(signal.id) && signal.flags == 0;
  }
  return false;
}

bool CheckBody(const RequestBody& body, Descriptors& descriptors) {
  switch (body.header.type) {
    case MessageType::kHello:
    case MessageType::kState:
    case MessageType::kShutdown:
      return true;
    case MessageType::kRunSandbox:
      return CheckRunSandbox(body.run_sandbox, descriptors);
    case MessageType::kCreateContainer:
      return CheckCreateContainer(body.create_container, descriptors);
    case MessageType::kExec:
      return CheckExec(body.exec, descriptors);
    case MessageType::kSignal:
      return CheckSignal(body.signal);
    case MessageType::kResizeTerminal:
      return IsId(body.resize_terminal.id);
    case MessageType::kAttach:
      return (body.attach.flags & ~kProcessStdin) == 0 && IsId(body.attach.id) &&
             descriptors.Optional(body.attach.stdout_fd) &&
             descriptors.Optional(body.attach.stderr_fd);
    case MessageType::kReopenLog:
      return IsId(body.reopen_log.id) && descriptors.Needed(body.reopen_log.log);
    case MessageType::kStartContainer:
    case MessageType::kCloseStdin:
    case MessageType::kRemoveContainer:
      return IsId(body.target.id);
    default:
      return false;
  }
}

// The members that this version knows of a type of request, or 0.
size_t BodySize(MessageType type) {
  switch (type) {
    case MessageType::kHello:
      return sizeof(Hello);
    case MessageType::kRunSandbox:
      return sizeof(RunSandbox);
    case MessageType::kCreateContainer:
      return sizeof(CreateContainer);
    case MessageType::kExec:
      return sizeof(Exec);
    case MessageType::kSignal:
      return sizeof(Signal);
    case MessageType::kResizeTerminal:
      return sizeof(ResizeTerminal);
    case MessageType::kAttach:
      return sizeof(Attach);
    case MessageType::kReopenLog:
      return sizeof(ReopenLog);
    case MessageType::kStartContainer:
    case MessageType::kCloseStdin:
    case MessageType::kRemoveContainer:
      return sizeof(Target);
    case MessageType::kState:
    case MessageType::kShutdown:
      return sizeof(Plain);
    default:
      return 0;
  }
}

// Those of its members that version 1 had: an older sender's end there.
size_t OldestSize(MessageType type) {
  return type == MessageType::kHello ? offsetof(Hello, log_bound) : BodySize(type);
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Whether a sysctl, as a path below /proc/sys, belongs to namespaces rather than to the machine.
bool IsNamespacedSysctl(std::string_view path, bool own_net, bool own_ipc) {
  // Only what a resolver takes literally (CVE-2022-0811 put "+" and further settings in a value).
  for (const char c : path) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.' && c != '/') {
      return false;
    }
  }
  if (path.find("..") != std::string_view::npos) return false;
  if (own_net && StartsWith(path, "net/")) return true;
  return own_ipc && (StartsWith(path, "kernel/shm") || StartsWith(path, "kernel/msg") ||
                     path == "kernel/sem" || StartsWith(path, "fs/mqueue/"));
}

}  // namespace

bool TakeText(std::string_view* from, std::string_view* text) {
  const size_t end = from->find('\0');
  if (end == std::string_view::npos) return false;
  *text = from->substr(0, end);
  from->remove_prefix(end + 1);
  return true;
}

bool AreNamespacedSysctls(std::string_view sysctls, bool own_net, bool own_ipc) {
  std::string_view name;
  std::string_view value;
  while (TakeText(&sysctls, &name) && TakeText(&sysctls, &value)) {
    if (!IsNamespacedSysctl(name, own_net, own_ipc)) return false;
  }
  return true;
}

int ReadRequest(std::span<const unsigned char> packet, uint32_t descriptors, Request* request) {
  *request = {};
  if (packet.size() < sizeof(Header)) return EPROTO;
  Header& header = request->body.header;
  __builtin_memcpy(&header, packet.data(), sizeof(Header));
  if (header.magic != kMessageMagic || header.version == 0 || header.length != packet.size() ||
      header.descriptors != descriptors || descriptors > kMaxDescriptors || header.id == 0) {
    return EPROTO;
  }
  const size_t known = BodySize(header.type);
  if (known == 0) return EOPNOTSUPP;
  if (packet.size() < OldestSize(header.type)) return EPROTO;
  __builtin_memcpy(&request->body, packet.data(), packet.size() < known ? packet.size() : known);
  size_t end = packet.size();
  if (header.type == MessageType::kRunSandbox) {
    const RunSandbox& run = request->body.run_sandbox;
    if (!AreSysctls(run, packet, request)) return EINVAL;
    if (run.sysctl_offset != 0) end = run.sysctl_offset;
    if (end < known) return EPROTO;
  }
  for (size_t at = known; at < end; ++at) {
    if (packet[at] != 0) return EPROTO;
  }
  Descriptors named(descriptors);
  if (!CheckBody(request->body, named) || !named.AllNamed()) return EINVAL;
  return 0;
}

}  // namespace podium::runtime::shim
