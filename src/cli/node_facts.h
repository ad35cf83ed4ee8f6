// What the agent knows of this node beyond the Kubernetes API (/node/v1): sandboxes and containers
// in the runtime's words, their processes and namespaces, and what they use.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "client/client.h"
#include "reflect/json_value.h"

namespace podium::cli {

inline constexpr Option kJsonOption = {.name = "output",
                                       .letter = 'o',
                                       .value = "FORMAT",
                                       .help = "text for people if not given",
                                       .values = Values::kWords,
                                       .words = "json"};

// By kind ("net", "pid" and so on): the inode.
using Namespaces = std::map<std::string, uint64_t, std::less<>>;

// A container, or the infra container that holds a pod's namespaces.
struct ContainerFact {
  std::string id;
  std::string name;          // "" of an infra container
  std::string state;         // created, running, exited, unknown
  uint64_t pid = 0;          // 0 when it does not run
  std::string image;         // as the pod names it; "" of an infra container
  int64_t started_unix = 0;  // in seconds; 0: it never was
  std::optional<int64_t> exit_code;
  uint64_t attempt = 0;
  std::string cgroup;
  Namespaces namespaces;  // of its process; none without one
};

struct SandboxFact {
  std::string name_space;
  std::string pod;
  std::string uid;
  bool ready = false;
  std::vector<std::string> addresses;
  ContainerFact infra;
  std::vector<ContainerFact> containers;  // the oldest first
};

// All sandboxes, by namespace and pod, the newest of a pod first.
Result<std::vector<SandboxFact>> ReadSandboxes(const client::Client& client);
// The same, from the answers of /node/v1/sandboxes and /node/v1/containers.
Result<std::vector<SandboxFact>> SandboxesOf(std::string_view sandboxes_json,
                                             std::string_view containers_json);

// One reading of what a pod or a container uses. Nothing stands where the kernel does not count.
struct Usage {
  int64_t cpu_time = 0;  // when it was read, in nanoseconds
  std::optional<uint64_t> cpu_ns;
  std::optional<uint64_t> memory;        // the working set, as the kubelet sees it
  std::optional<uint64_t> memory_limit;  // as far as it follows from what is available
  std::optional<uint64_t> pids;
  std::optional<uint64_t> received;
  std::optional<uint64_t> sent;
};
struct UsageFact {
  std::string name_space;
  std::string pod;
  std::string container;  // "": the whole pod
  std::string id;         // of the sandbox or the container
  Usage usage;
};

// Each pod, its containers behind it.
Result<std::vector<UsageFact>> UsageOf(std::string_view stats_json);

// The member's text; "" when there is none. Of what is null, likewise.
std::string TextAt(const reflect::JsonValue* value, std::string_view key);
// A number, also one in quotes or in an object as its "value" (both forms of protobuf's JSON).
std::optional<int64_t> NumberAt(const reflect::JsonValue* value, std::string_view key);
// The elements of a list; none when there is no such list.
const reflect::JsonValue::Array& ListAt(const reflect::JsonValue* value, std::string_view key);

// As -o json prints it.
std::string PrettyJson(const reflect::JsonValue& value);
reflect::JsonValue JsonNumber(uint64_t number);

// The first 12 digits of an id, without its algorithm.
std::string ShortId(std::string_view id);
// "512B", "1.5MiB"
std::string Bytes(uint64_t bytes);

// "a=1&b=x%20y"
std::string QueryText(const std::vector<std::pair<std::string, std::string>>& parameters);

// Calls `each` with the lines of an answer, as they come; one without an end counts. An error of it
// is passed on.
Result<void> ForEachLine(client::ByteStream& answer,
                         const std::function<Result<void>(std::string_view line)>& each);

// What a long call answers: lines of JSON with its progress, and one, with `member`, that is its
// result. An "error" in a line is the call's; without a result it is one that `unfinished` words.
Result<reflect::JsonValue> ResultOf(
    client::ByteStream& answer, std::string_view member, std::string_view unfinished,
    const std::function<void(const reflect::JsonValue& progress)>& show);

}  // namespace podium::cli
