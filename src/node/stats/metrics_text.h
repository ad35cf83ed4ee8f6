// Prometheus's text format, version 0.0.4, as client_golang's expfmt writes it: families by name,
// labels by name, numbers as Go prints them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace podium::node {

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

enum class MetricType { kCounter, kGauge, kHistogram };

// Families are written one after the other, in the order of their names; each of them as a whole.
// What has no value is not there.
class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // `name` and `help` live until the next family.
  void Family(std::string_view name, std::string_view help, MetricType type);
  // `labels` as LabelsText makes them, "" for none. `time`: when it was read, in nanoseconds since
  // 1970.
  void Value(std::string_view labels, double value, std::optional<int64_t> time = {});
  // Of the family's histogram: "_bucket", "_sum", "_count".
  void Part(std::string_view suffix, std::string_view labels, double value);
  // A family of one value.
  void Single(std::string_view name, std::string_view help, MetricType type, double value) {
    Family(name, help, type);
    Value("", value);
  }

  // In the order that is given: `container="a",pod="b"`, escaped.
  static std::string LabelsText(Labels labels);
  static void AppendLabel(std::string_view name, std::string_view value, std::string* out);

  std::string Take() && { return std::move(text_); }

 private:
  void Line(std::string_view suffix, std::string_view labels, double value);

  std::string text_;
  std::string_view name_;
  std::string_view help_;
  MetricType type_ = MetricType::kGauge;
  bool begun_ = false;  // the head of the family is written
};

}  // namespace podium::node
