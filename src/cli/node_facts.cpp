#include "cli/node_facts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <tuple>

#include "http/url.h"

namespace podium::cli {
namespace {

// One line of an answer: a step, a result, or what went wrong.
constexpr size_t kMaxLine = size_t{1} << 20;

using reflect::JsonValue;

constexpr int64_t kNanosASecond = 1'000'000'000;
constexpr size_t kShortId = 12;

const JsonValue* At(const JsonValue* value, std::string_view key) {
  return value ? value->Find(key) : nullptr;
}

std::optional<int64_t> ParseNumber(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::optional<uint64_t> CountAt(const JsonValue* value, std::string_view key) {
  const auto number = NumberAt(value, key);
  if (!number || *number < 0) return {};
  return static_cast<uint64_t>(*number);
}

// What the runtime adds when it is asked to be verbose; JSON in a string.
void ReadInfo(const JsonValue& answer, ContainerFact* out) {
  const auto info = reflect::ParseJson(TextAt(At(&answer, "info"), "info"));
  if (!info.ok()) return;
  out->pid = CountAt(&*info, "pid").value_or(0);
  out->cgroup = TextAt(&*info, "cgroup");
  const JsonValue* namespaces = info->Find("namespaces");
  if (!namespaces || !namespaces->is_object() || out->pid == 0) return;
  for (const JsonValue::Member& member : namespaces->object()) {
    if (const auto inode = CountAt(namespaces, member.key)) out->namespaces[member.key] = *inode;
  }
}

// CRI leaves out what is zero, which is the state "created".
std::string StateOf(const JsonValue* status) {
  const std::string state = TextAt(status, "state");
  if (state == "CONTAINER_RUNNING") return "running";
  if (state == "CONTAINER_EXITED") return "exited";
  if (state == "CONTAINER_UNKNOWN") return "unknown";
  return "created";
}

ContainerFact ContainerOf(const JsonValue& answer) {
  const JsonValue* status = answer.Find("status");
  ContainerFact out;
  out.id = TextAt(status, "id");
  out.name = TextAt(At(status, "metadata"), "name");
  out.attempt = CountAt(At(status, "metadata"), "attempt").value_or(0);
  out.state = StateOf(status);
  const JsonValue* image = At(status, "image");
  out.image = TextAt(image, "userSpecifiedImage");
  if (out.image.empty()) out.image = TextAt(image, "image");
  out.started_unix = NumberAt(status, "startedAt").value_or(0) / kNanosASecond;
  if (out.state == "exited") out.exit_code = NumberAt(status, "exitCode").value_or(0);
  ReadInfo(answer, &out);
  return out;
}

SandboxFact SandboxOf(const JsonValue& answer) {
  const JsonValue* status = answer.Find("status");
  const JsonValue* metadata = At(status, "metadata");
  SandboxFact out;
  out.name_space = TextAt(metadata, "namespace");
  out.pod = TextAt(metadata, "name");
  out.uid = TextAt(metadata, "uid");
  out.ready = TextAt(status, "state") != "SANDBOX_NOTREADY";
  const JsonValue* network = At(status, "network");
  if (std::string ip = TextAt(network, "ip"); !ip.empty()) out.addresses.push_back(std::move(ip));
  for (const JsonValue& more : ListAt(network, "additionalIps")) {
    out.addresses.push_back(TextAt(&more, "ip"));
  }
  out.infra.id = TextAt(status, "id");
  out.infra.state = out.ready ? "running" : "exited";
  out.infra.attempt = CountAt(metadata, "attempt").value_or(0);
  out.infra.started_unix = NumberAt(status, "createdAt").value_or(0) / kNanosASecond;
  ReadInfo(answer, &out.infra);
  return out;
}

void ReadCpuAndMemory(const JsonValue* stats, Usage* out) {
  const JsonValue* cpu = At(stats, "cpu");
  out->cpu_time = NumberAt(cpu, "timestamp").value_or(0);
  out->cpu_ns = CountAt(cpu, "usageCoreNanoSeconds");
  const JsonValue* memory = At(stats, "memory");
  out->memory = CountAt(memory, "workingSetBytes");
  const auto available = CountAt(memory, "availableBytes");
  if (available && out->memory) out->memory_limit = *available + *out->memory;
}

}  // namespace

std::string TextAt(const JsonValue* value, std::string_view key) {
  const JsonValue* member = At(value, key);
  return member && member->is_string() ? member->string() : std::string();
}

std::optional<int64_t> NumberAt(const JsonValue* value, std::string_view key) {
  const JsonValue* member = At(value, key);
  if (!member) return {};
  if (member->is_number()) return ParseNumber(member->number());
  if (member->is_string()) return ParseNumber(member->string());
  // A wrapped number that is zero leaves its value out.
  if (member->is_object()) return NumberAt(member, "value").value_or(0);
  return {};
}

const JsonValue::Array& ListAt(const JsonValue* value, std::string_view key) {
  static const JsonValue::Array kNone;
  const JsonValue* member = At(value, key);
  return member && member->is_array() ? member->array() : kNone;
}

std::string PrettyJson(const JsonValue& value) {
  return reflect::ToText(value, {.indent = 4}) + '\n';
}

JsonValue JsonNumber(uint64_t number) { return JsonValue::Number(std::to_string(number)); }

std::string ShortId(std::string_view id) {
  if (const size_t colon = id.find(':'); colon != std::string_view::npos) {
    id.remove_prefix(colon + 1);
  }
  return std::string(id.substr(0, kShortId));
}

std::string Bytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  double value = static_cast<double>(bytes);
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  (void)std::snprintf(text, sizeof text, unit == 0 || value >= 100 ? "%.0f%s" : "%.1f%s", value,
                      kUnits[unit]);
  return text;
}

std::string QueryText(const std::vector<std::pair<std::string, std::string>>& parameters) {
  return http::EncodeQuery(parameters);
}

Result<std::vector<SandboxFact>> SandboxesOf(std::string_view sandboxes_json,
                                             std::string_view containers_json) {
  TRY(const JsonValue sandboxes, reflect::ParseJson(sandboxes_json));
  TRY(const JsonValue containers, reflect::ParseJson(containers_json));
  std::map<std::string, ContainerFact> by_id;
  for (const JsonValue& answer : ListAt(&containers, "items")) {
    ContainerFact container = ContainerOf(answer);
    by_id.emplace(container.id, std::move(container));
  }
  std::vector<SandboxFact> out;
  for (const JsonValue& answer : ListAt(&sandboxes, "items")) {
    SandboxFact& sandbox = out.emplace_back(SandboxOf(answer));
    for (const JsonValue& status : ListAt(&answer, "containersStatuses")) {
      // The two lists are read one after the other: what is new or gone is left out.
      const auto found = by_id.find(TextAt(&status, "id"));
      if (found != by_id.end()) sandbox.containers.push_back(found->second);
    }
  }
  std::ranges::sort(out, {}, [](const SandboxFact& fact) {
    return std::tuple(fact.name_space, fact.pod, -fact.infra.started_unix, fact.infra.id);
  });
  return out;
}

Result<std::vector<SandboxFact>> ReadSandboxes(const client::Client& client) {
  TRY(const std::string sandboxes, client.Raw("GET", "/node/v1/sandboxes"));
  TRY(const std::string containers, client.Raw("GET", "/node/v1/containers"));
  return SandboxesOf(sandboxes, containers);
}

Result<std::vector<UsageFact>> UsageOf(std::string_view stats_json) {
  TRY(const JsonValue answer, reflect::ParseJson(stats_json));
  std::vector<UsageFact> out;
  for (const JsonValue& each : ListAt(&answer, "items")) {
    const JsonValue* attributes = each.Find("attributes");
    const JsonValue* metadata = At(attributes, "metadata");
    const JsonValue* used = each.Find("linux");
    UsageFact pod;
    pod.name_space = TextAt(metadata, "namespace");
    pod.pod = TextAt(metadata, "name");
    pod.id = TextAt(attributes, "id");
    ReadCpuAndMemory(used, &pod.usage);
    pod.usage.pids = CountAt(At(used, "process"), "processCount");
    const JsonValue* device = At(At(used, "network"), "defaultInterface");
    pod.usage.received = CountAt(device, "rxBytes");
    pod.usage.sent = CountAt(device, "txBytes");
    out.push_back(pod);
    for (const JsonValue& container : ListAt(used, "containers")) {
      const JsonValue* its = container.Find("attributes");
      UsageFact fact;
      fact.name_space = pod.name_space;
      fact.pod = pod.pod;
      fact.container = TextAt(At(its, "metadata"), "name");
      fact.id = TextAt(its, "id");
      ReadCpuAndMemory(&container, &fact.usage);
      // What has ended uses nothing, and has no counters any more.
      if (fact.usage.cpu_ns || fact.usage.memory) out.push_back(std::move(fact));
    }
  }
  std::ranges::sort(out, {}, [](const UsageFact& fact) {
    return std::tie(fact.name_space, fact.pod, fact.container, fact.id);
  });
  return out;
}

Result<void> ForEachLine(client::ByteStream& answer,
                         const std::function<Result<void>(std::string_view line)>& each) {
  std::string rest;
  std::array<char, 16384> buffer;
  while (true) {
    TRY(const size_t size, answer.Read(buffer));
    rest.append(buffer.data(), size);
    size_t begin = 0;
    for (size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
      TRY_VOID(each(std::string_view(rest).substr(begin, end - begin)));
      begin = end + 1;
    }
    rest.erase(0, begin);
    if (rest.size() > kMaxLine) {
      return Error(Code::kResourceExhausted, "the agent's answer has a line that is too long");
    }
    if (size != 0) continue;
    return rest.empty() ? Result<void>() : each(rest);
  }
}

Result<JsonValue> ResultOf(client::ByteStream& answer, std::string_view member,
                           std::string_view unfinished,
                           const std::function<void(const JsonValue& progress)>& show) {
  JsonValue result;
  TRY_VOID(ForEachLine(answer, [&](std::string_view line) -> Result<void> {
    if (line.empty()) return {};
    TRY(JsonValue value, reflect::ParseJson(line));
    if (std::string problem = TextAt(&value, "error"); !problem.empty()) {
      return Error(Code::kUnavailable, std::move(problem));
    }
    if (value.Find(member)) {
      result = std::move(value);
    } else {
      show(value);
    }
    return {};
  }));
  if (result.is_null()) return Error(Code::kUnavailable, std::string(unfinished));
  return result;
}

}  // namespace podium::cli
