#include "runtime/plan.h"

#include <cstring>
#include <string_view>
#include <utility>

namespace podium::runtime::shim {
namespace {

// Appends texts and tables, and hands out where they are.
class Writer {
 public:
  Writer() : bytes_(sizeof(PlanHeader), '\0') {}

  TextRef Text(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) has_nul_ = true;
    return Bytes(text);
  }

  // Texts may not hold a NUL, other bytes may.
  TextRef Bytes(std::string_view bytes) {
    if (bytes.empty()) return {};
    const TextRef ref{.offset = Align(), .size = static_cast<uint32_t>(bytes.size())};
    bytes_ += bytes;
    bytes_ += '\0';
    return ref;
  }

  // An empty argument is an argument.
  TextRef PresentText(std::string_view text) {
    if (!text.empty()) return Text(text);
    const TextRef ref{.offset = Align(), .size = 0};
    bytes_ += '\0';
    return ref;
  }

  template <class T>
  TableRef Table(const std::vector<T>& entries) {
    if (entries.empty()) return {};
    const TableRef ref{.offset = Align(), .count = static_cast<uint32_t>(entries.size())};
    bytes_.append(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(T));
    return ref;
  }

  TableRef Texts(const std::vector<std::string>& texts) {
    std::vector<TextRef> refs;
    refs.reserve(texts.size());
    for (const std::string& text : texts) refs.push_back(PresentText(text));
    return Table(refs);
  }

  bool has_nul() const { return has_nul_; }
  size_t size() const { return bytes_.size(); }

  std::string Finish(const PlanHeader& header) && {
    std::memcpy(bytes_.data(), &header, sizeof(header));
    return std::move(bytes_);
  }

 private:
  uint32_t Align() {
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    return static_cast<uint32_t>(bytes_.size());
  }

  std::string bytes_;
  bool has_nul_ = false;
};

PlanMount EncodeMount(Writer& writer, const MountStep& step) {
  return {.kind = step.kind,
          .flags = step.flags,
          .target = writer.Text(step.target),
          .source = writer.Text(step.source),
          .options = writer.Texts(step.options),
          .descriptor = step.descriptor,
          .propagation = step.propagation,
          .attr_set = step.attr_set,
          .attr_clear = step.attr_clear,
          .mode = step.mode,
          .uid = step.uid,
          .gid = step.gid,
          .major = step.major,
          .minor = step.minor,
          .file_system = step.file_system};
}

}  // namespace

Result<std::string> EncodePlan(const Plan& plan) {
  Writer writer;
  std::vector<PlanMount> mounts;
  mounts.reserve(plan.mounts.size());
  for (const MountStep& step : plan.mounts) mounts.push_back(EncodeMount(writer, step));
  PlanHeader header{.magic = kPlanMagic,
                    .version = kPlanVersion,
                    .size = 0,
                    .flags = plan.flags,
                    .arguments = writer.Texts(plan.arguments),
                    .environment = writer.Texts(plan.environment),
                    .cwd = writer.Text(plan.cwd),
                    .uid = plan.uid,
                    .gid = plan.gid,
                    .groups = writer.Table(plan.groups),
                    .umask = plan.umask,
                    .oom_score_adj = plan.oom_score_adj,
                    .rlimits = writer.Table(plan.rlimits),
                    .bounding = plan.bounding,
                    .effective = plan.effective,
                    .permitted = plan.permitted,
                    .inheritable = plan.inheritable,
                    .ambient = plan.ambient,
                    .filter = writer.Bytes(plan.filter),
                    .filter_flags = plan.filter_flags,
                    .label_kind = plan.label_kind,
                    .label = writer.Text(plan.label),
                    .root = plan.root,
                    .unused = 0,
                    .mounts = writer.Table(mounts)};
  if (writer.has_nul()) return Error(Code::kInvalidArgument, "a text of the plan holds a NUL");
  if (writer.size() > kMaxPlan) {
    return Error(Code::kResourceExhausted, "arguments, environment and mounts are too large");
  }
  header.size = static_cast<uint32_t>(writer.size());
  return std::move(writer).Finish(header);
}

}  // namespace podium::runtime::shim
