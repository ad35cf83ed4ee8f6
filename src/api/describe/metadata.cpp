// Labels, annotations, owners and events; and values as Go prints them.
#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "api/describe/parts.h"
#include "api/describe/sorted.h"
#include "api/printed_text.h"
#include "base/text.h"
#include "reflect/go_trim.h"

namespace podium::api {
namespace {

using core::v1::Event;

constexpr size_t kMaxAnnotation = 140;
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

// How often and since when: "3m", "3m (x4 over 2h)".
std::string IntervalOf(const Event& event, const Scene& scene) {
  const std::string first =
      event.eventTime.IsZero() ? scene.Ago(event.firstTimestamp) : scene.Ago(event.eventTime);
  const auto repeated = [&](const std::string& last, int32_t count) {
    return last + " (x" + std::to_string(count) + " over " + first + ')';
  };
  if (event.series) return repeated(scene.Ago(event.series->lastObservedTime), event.series->count);
  return event.count > 1 ? repeated(scene.Ago(event.lastTimestamp), event.count) : first;
}

void WriteLongValue(std::string_view value, DescribeWriter* out) {
  constexpr size_t kMost = kMaxAnnotation - 2;
  while (true) {
    const size_t end = value.find('\n');
    const std::string_view line = value.substr(0, end);
    out->Line(0, "\t  ", line.substr(0, kMost), line.size() > kMost ? "..." : "");
    if (end == std::string_view::npos) return;
    value.remove_prefix(end + 1);
  }
}

}  // namespace

void WriteLabels(std::string_view title, const reflect::Map<std::string>& labels,
                 DescribeWriter* out, std::string_view indent) {
  out->Write(0, indent, title, ":\t");
  if (labels.empty()) return out->EndLine(kNone);
  bool is_first = true;
  for (const auto& [key, value] : labels) {
    if (!std::exchange(is_first, false)) {
      out->Write(0, indent);
      out->Write(0, "\t");
    }
    out->Line(0, key, "=", value);
  }
}

void WriteAnnotations(std::string_view title, const reflect::Map<std::string>& annotations,
                      DescribeWriter* out) {
  out->Write(0, title, ":\t");
  bool is_first = true;
  for (const auto& [key, whole] : annotations) {
    if (key == kLastApplied) continue;
    if (!std::exchange(is_first, false)) out->Write(0, "\t");
    std::string_view value = whole;
    if (value.ends_with('\n')) value.remove_suffix(1);
    if (value.size() + key.size() + 2 > kMaxAnnotation || value.find('\n') != value.npos) {
      out->Line(0, key, ":");
      WriteLongValue(value, out);
    } else {
      out->Line(0, key, ": ", value);
    }
  }
  if (is_first) out->EndLine(kNone);
}

void WriteMetadata(const meta::v1::ObjectMeta& metadata, DescribeWriter* out) {
  out->Line(0, "Name:\t", metadata.name);
  out->Line(0, "Namespace:\t", metadata.namespace_);
  WriteLabels("Labels", metadata.labels, out);
  WriteAnnotations("Annotations", metadata.annotations, out);
}

const meta::v1::OwnerReference* ControllerOf(const meta::v1::ObjectMeta& metadata) {
  const auto found = std::ranges::find_if(
      metadata.ownerReferences, [](const auto& owner) { return owner.controller.value_or(false); });
  return found == metadata.ownerReferences.end() ? nullptr : &*found;
}

void WriteControlledBy(const meta::v1::ObjectMeta& metadata, DescribeWriter* out) {
  if (const auto* owner = ControllerOf(metadata)) {
    out->Line(0, "Controlled By:\t", owner->kind, "/", owner->name);
  }
}

void WriteEvents(const std::vector<const Event*>& events, const Scene& scene, DescribeWriter* out) {
  if (!scene.show_events()) return;
  if (events.empty()) return out->Line(0, "Events:\t", kNone);
  out->Line(0, "Events:\n  Type\tReason\tAge\tFrom\tMessage");
  out->Line(1, "----\t------\t----\t----\t-------");
  for (const Event* event : Sorted(events, std::mem_fn(&Event::lastTimestamp))) {
    const std::string& path = event->involvedObject.fieldPath;
    out->Line(1, event->type, "\t", event->reason, "\t", IntervalOf(*event, scene), "\t",
              event->source.component.empty() ? event->reportingComponent : event->source.component,
              "\t", path, path.empty() ? "" : ": ", reflect::TrimGoSpace(event->message));
  }
}

void WriteEventsOf(std::string_view kind, const meta::v1::ObjectMeta& metadata, const Scene& scene,
                   DescribeWriter* out) {
  WriteEvents(scene.Events({.name = metadata.name,
                            .namespace_ = metadata.namespace_,
                            .kind = kind,
                            .uid = metadata.uid}),
              scene, out);
}

std::string GoText(const reflect::List<std::string>& list) { return '[' + Join(list, " ") + ']'; }

std::string GoText(const reflect::Map<std::string>& map) {
  std::string out = "map[";
  for (const auto& [key, value] : map) {
    if (out.back() != '[') out += ' ';
    out.append(key).append(":").append(value);
  }
  return out + ']';
}

// As the generated String methods of upstream's types, whose %v these are.
std::string GoText(const reflect::Box<core::v1::LocalObjectReference>& reference) {
  return reference ? "&LocalObjectReference{Name:" + reference->name + ",}" : "nil";
}

std::string GoText(const reflect::Box<core::v1::SecretReference>& reference) {
  if (!reference) return "nil";
  return "&SecretReference{Name:" + reference->name + ",Namespace:" + reference->namespace_ + ",}";
}

int64_t GoInteger(double value) {
  const bool fits = value > -0x1p63 && value < 0x1p63;
  return fits ? static_cast<int64_t>(value) : std::numeric_limits<int64_t>::min();
}

Quantity AmountOf(const reflect::Map<Quantity>& amounts, std::string_view name) {
  const auto found = amounts.find(name);
  return found == amounts.end() ? Quantity() : found->second;
}

}  // namespace podium::api
