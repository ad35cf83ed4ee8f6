#include "runtime/shim/plan_reader.h"

namespace podium::runtime::shim {
namespace {

constexpr uint32_t kFlags =
    kPlanNoNewPrivileges | kPlanReadOnlyRoot | kPlanNewPid | kPlanNewCgroup | kPlanConsole;
constexpr uint32_t kMountFlags = kMountMakeTarget | kMountNoSymlinks | kMountRecursive;
constexpr size_t kFilterInstruction = 8;  // sizeof(struct sock_filter)
// For setresuid and its like, -1 means "leave it as it is": root (CVE-2024-40635's neighbour).
constexpr uint32_t kNoId = 0xffffffff;
constexpr uint32_t kMaxMajor = 0xfff;
constexpr uint32_t kMaxMinor = 0xfffff;

}  // namespace

std::string_view PlanReader::Text(TextRef ref) const {
  if (ref.offset == 0) return "";
  return {reinterpret_cast<const char*>(bytes_.data() + ref.offset), ref.size};
}

// Absent, or inside and followed by a NUL.
bool PlanReader::IsBytes(TextRef ref) const {
  if (ref.offset == 0) return ref.size == 0;
  return ref.offset >= sizeof(PlanHeader) && ref.offset < bytes_.size() &&
         ref.size < bytes_.size() - ref.offset && bytes_[ref.offset + ref.size] == 0;
}

bool PlanReader::IsText(TextRef ref) const {
  return IsBytes(ref) && Text(ref).find('\0') == std::string_view::npos;
}

// Absolute, and no component that a resolver would have to think about.
bool PlanReader::IsPath(TextRef ref) const {
  if (!IsText(ref)) return false;
  std::string_view path = Text(ref);
  if (path.empty() || path.size() >= kMaxPath || path[0] != '/') return false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t end = path.find('/') == std::string_view::npos ? path.size() : path.find('/');
    const std::string_view component = path.substr(0, end);
    if (component == "." || component == "..") return false;
    path.remove_prefix(end);
  }
  return true;
}

template <class T>
bool PlanReader::IsTable(TableRef ref) const {
  if (ref.count == 0) return ref.offset == 0;
  return ref.count <= kMaxPlanEntries && ref.offset >= sizeof(PlanHeader) && ref.offset % 8 == 0 &&
         ref.offset < bytes_.size() && ref.count <= (bytes_.size() - ref.offset) / sizeof(T);
}

bool PlanReader::AreTexts(TableRef ref) const {
  if (!IsTable<TextRef>(ref)) return false;
  for (const TextRef text : Texts(ref)) {
    if (text.offset == 0 || !IsText(text)) return false;
  }
  return true;
}

bool PlanReader::IsMount(const PlanMount& mount, uint32_t descriptors) const {
  if ((mount.flags & ~kMountFlags) != 0 || !IsPath(mount.target) || !IsText(mount.source) ||
      !AreTexts(mount.options) || mount.uid == kNoId || mount.gid == kNoId ||
      Text(mount.target).find_first_not_of('/') == std::string_view::npos) {
    return false;
  }
  switch (mount.kind) {
    case MountKind::kNew:
    case MountKind::kSymlink:
    case MountKind::kLabel:
      return mount.source.size > 0;
    case MountKind::kAttach:
      return mount.descriptor >= 0 && static_cast<uint32_t>(mount.descriptor) < descriptors;
    case MountKind::kDevice:
      return mount.major <= kMaxMajor && mount.minor <= kMaxMinor;
    case MountKind::kPodShm:
    case MountKind::kFolder:
    case MountKind::kMask:
    case MountKind::kReadOnly:
      return true;
  }
  return false;
}

bool PlanReader::IsProcess() const {
  const PlanHeader& plan = *header_;
  if (plan.arguments.count == 0 || !AreTexts(plan.arguments) || !AreTexts(plan.environment) ||
      !IsPath(plan.cwd) || plan.uid == kNoId || plan.gid == kNoId ||
      !IsTable<uint32_t>(plan.groups) || !IsTable<PlanRlimit>(plan.rlimits) ||
      !IsText(plan.label)) {
    return false;
  }
  for (const uint32_t group : Groups()) {
    if (group == kNoId) return false;
  }
  // An ambient capability that is not inheritable and permitted cannot be.
  if ((plan.ambient & ~(plan.permitted & plan.inheritable)) != 0) return false;
  if (!IsBytes(plan.filter) || plan.filter.offset % 8 != 0 ||
      plan.filter.size % kFilterInstruction != 0 ||
      plan.filter.size / kFilterInstruction > kMaxFilter) {
    return false;
  }
  switch (plan.label_kind) {
    case LabelKind::kNone:
      return plan.label.size == 0;
    case LabelKind::kAppArmor:
    case LabelKind::kSelinux:
      return plan.label.size > 0 && plan.label.size < kMaxPath;
  }
  return false;
}

bool PlanReader::Open(std::span<const unsigned char> bytes, uint32_t descriptors) {
  static_assert(sizeof(PlanHeader) % 8 == 0);
  if (bytes.size() < sizeof(PlanHeader) || bytes.size() > kMaxPlan) return false;
  bytes_ = bytes;
  header_ = reinterpret_cast<const PlanHeader*>(bytes.data());
  const PlanHeader& plan = *header_;
  if (plan.magic != kPlanMagic || plan.version != kPlanVersion || plan.size != bytes.size() ||
      (plan.flags & ~kFlags) != 0 || plan.unused != 0 || !IsProcess() ||
      !IsTable<PlanMount>(plan.mounts)) {
    return false;
  }
  if (plan.root < -1 || (plan.root >= 0 && static_cast<uint32_t>(plan.root) >= descriptors)) {
    return false;
  }
  for (const PlanMount& mount : Mounts()) {
    if (!IsMount(mount, descriptors)) return false;
    // A descriptor can be attached once.
    if (mount.kind == MountKind::kAttach && mount.descriptor == plan.root) return false;
  }
  return true;
}

}  // namespace podium::runtime::shim
