#include "api/table/cells.h"

#include <algorithm>
#include <vector>

#include "api/labels.h"
#include "api/pod_row.h"
#include "reflect/json.h"

namespace podium::api {
namespace {

constexpr int64_t kMicros = 1'000'000;

}  // namespace

void Cells::Text(std::string_view text) {
  std::string json;
  reflect::AppendJsonString(text, &json);
  Add(std::move(json));
}

void Cells::Number(int64_t value) { Add(std::to_string(value)); }

std::string Cells::Ago(Time then) const {
  if (then.IsZero()) return std::string(kUnknown);
  return HumanDuration(now_.unix_seconds() - then.unix_seconds());
}

std::string Cells::Ago(MicroTime then) const {
  if (then.IsZero()) return std::string(kUnknown);
  // Whole seconds, cut off towards zero, are what a duration shows.
  return HumanDuration((now_.unix_seconds() * kMicros - then.unix_micros()) / kMicros);
}

void Cells::Containers(const core::v1::PodSpec& pod) {
  std::vector<std::string> names;
  std::vector<std::string> images;
  for (const core::v1::Container& container : pod.containers) {
    names.push_back(container.name);
    images.push_back(container.image);
  }
  Text(Join(names));
  Text(Join(images));
}

std::string Join(std::span<const std::string> parts, std::string_view between) {
  std::string out;
  for (const std::string& part : parts) {
    if (&part != parts.data()) out += between;
    out += part;
  }
  return out;
}

std::string JoinSome(std::span<const std::string> parts, size_t most, std::string_view between) {
  if (parts.size() <= most) return Join(parts, between);
  return Join(parts.first(most), between) + " + " + std::to_string(parts.size() - most) +
         " more...";
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return out;
}

std::string LabelsText(const reflect::Map<std::string>& labels) {
  std::string out;
  for (const auto& [key, value] : labels) {
    if (!out.empty()) out += ',';
    out.append(key).append("=").append(value);
  }
  return out.empty() ? std::string(kNone) : out;
}

std::string SelectorText(const meta::v1::LabelSelector* selector) {
  const auto read = labels::LabelSelectorAsSelector(selector);
  if (!read.ok()) return "<error>";
  std::string text = read->String();
  return text.empty() ? std::string(kNone) : text;
}

}  // namespace podium::api
