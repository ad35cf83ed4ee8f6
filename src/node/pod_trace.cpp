#include "node/pod_trace.h"

#include "reflect/json.h"

namespace podium::node {

std::string TraceJson(const Trace& trace) {
  std::string out = "{\"steps\":[";
  for (const TraceStep& step : trace.steps()) {
    if (out.back() != '[') out += ',';
    out += "{\"name\":";
    reflect::AppendJsonString(step.name, &out);
    if (!step.subject.empty()) {
      out += ",\"subject\":";
      reflect::AppendJsonString(step.subject, &out);
    }
    out += ",\"depth\":" + std::to_string(step.depth);
    out += ",\"beginNanoseconds\":" + std::to_string(step.begin);
    out += ",\"endNanoseconds\":" + std::to_string(step.end) + '}';
  }
  return out + "],\"dropped\":" + std::to_string(trace.dropped()) + '}';
}

}  // namespace podium::node
