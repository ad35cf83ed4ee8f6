#include "node/stats/metrics_text.h"

#include "reflect/number_text.h"

namespace podium::node {
namespace {

constexpr int64_t kNanosPerMilli = 1'000'000;

std::string_view NameOf(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      break;
    case MetricType::kHistogram:
      return "histogram";
  }
  return "gauge";
}

}  // namespace

void MetricsText::AppendLabel(std::string_view name, std::string_view value, std::string* out) {
  if (!out->empty()) out->push_back(',');
  out->append(name).append("=\"");
  for (const char c : value) {
    if (c == '\n') {
      out->append("\\n");
      continue;
    }
    if (c == '"' || c == '\\') out->push_back('\\');
    out->push_back(c);
  }
  out->push_back('"');
}

std::string MetricsText::LabelsText(Labels labels) {
  std::string out;
  for (const auto& [name, value] : labels) AppendLabel(name, value, &out);
  return out;
}

void MetricsText::Family(std::string_view name, std::string_view help, MetricType type) {
  name_ = name;
  help_ = help;
  type_ = type;
  begun_ = false;
}

void MetricsText::Line(std::string_view suffix, std::string_view labels, double value) {
  if (!begun_) {
    text_.append("# HELP ").append(name_).append(" ").append(help_).append("\n# TYPE ");
    text_.append(name_).append(" ").append(NameOf(type_)).append("\n");
    begun_ = true;
  }
  text_.append(name_).append(suffix);
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_.push_back(' ');
  reflect::AppendFloatGeneral(value, &text_);
}

void MetricsText::Value(std::string_view labels, double value, std::optional<int64_t> time) {
  Line("", labels, value);
  if (time) text_.append(" ").append(std::to_string(*time / kNanosPerMilli));
  text_.push_back('\n');
}

void MetricsText::Part(std::string_view suffix, std::string_view labels, double value) {
  Line(suffix, labels, value);
  text_.push_back('\n');
}

}  // namespace podium::node
