#include "runtime/seccomp_profile.h"

#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "reflect/json_value.h"

namespace podium::runtime {
namespace {

using kernel::SeccompArgument;
using kernel::SeccompProfile;
using kernel::SeccompRule;
using reflect::JsonValue;

constexpr size_t kMaxDepth = 20;

#if defined(__x86_64__)
constexpr std::string_view kArchitecture = "amd64";
#elif defined(__aarch64__)
constexpr std::string_view kArchitecture = "arm64";
#endif

Error Invalid(const std::string& what) { return {Code::kInvalidArgument, what}; }

// A member, or null: absent and null are the same, as in Go.
const JsonValue* Member(const JsonValue& object, std::string_view key) {
  const JsonValue* value = object.Find(key);
  return value && !value->is_null() ? value : nullptr;
}

Result<std::string> Text(const JsonValue& object, const std::string& key) {
  const JsonValue* value = Member(object, key);
  if (!value) return std::string();
  if (!value->is_string()) return Invalid(key + " is no string");
  return value->string();
}

Result<std::vector<std::string>> Texts(const JsonValue& object, const std::string& key) {
  std::vector<std::string> texts;
  const JsonValue* value = Member(object, key);
  if (!value) return texts;
  if (!value->is_array()) return Invalid(key + " is no list");
  for (const JsonValue& one : value->array()) {
    if (!one.is_string()) return Invalid(key + " has an element that is no string");
    texts.push_back(one.string());
  }
  return texts;
}

Result<std::optional<uint64_t>> Number(const JsonValue& object, const std::string& key,
                                       uint64_t most = std::numeric_limits<uint64_t>::max()) {
  const JsonValue* value = Member(object, key);
  if (!value) return std::optional<uint64_t>();
  uint64_t number = 0;
  if (value->is_number()) {
    const std::string& text = value->number();
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc() && end == text.data() + text.size() && number <= most) {
      return std::optional(number);
    }
  }
  return Invalid(key + " is no number from 0 to " + std::to_string(most));
}

Result<std::optional<uint32_t>> ErrnoOf(const JsonValue& object, const std::string& key) {
  TRY(const auto number, Number(object, key, std::numeric_limits<uint32_t>::max()));
  if (!number) return std::optional<uint32_t>();
  return std::optional(static_cast<uint32_t>(*number));
}

// The objects of a list; none where it is absent.
Result<std::vector<const JsonValue*>> Objects(const JsonValue& object, const std::string& key) {
  std::vector<const JsonValue*> objects;
  const JsonValue* value = Member(object, key);
  if (!value) return objects;
  if (!value->is_array()) return Invalid(key + " is no list");
  for (const JsonValue& one : value->array()) {
    if (one.is_null()) continue;  // as moby's reader
    if (!one.is_object()) return Invalid(key + " has an element that is no object");
    objects.push_back(&one);
  }
  return objects;
}

Result<KernelVersion> ParseVersion(std::string_view text) {
  KernelVersion version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec == std::errc() && major.ptr != end && *major.ptr == '.') {
    const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
    if (minor.ec == std::errc() && minor.ptr == end && version >= KernelVersion{}) return version;
  }
  return Invalid("minKernel \"" + std::string(text) + "\" is no version");
}

// "includes" and "excludes" of a rule.
struct Filter {
  std::vector<std::string> arches;
  kernel::CapabilityMask caps = 0;
  bool unknown_caps = false;  // of a newer kernel: nobody has them
  std::optional<KernelVersion> min_kernel;
};

Result<Filter> ReadFilter(const JsonValue& rule, const std::string& key) {
  Filter filter;
  const JsonValue* value = Member(rule, key);
  if (!value) return filter;
  if (!value->is_object()) return Invalid(key + " is no object");
  TRY(filter.arches, Texts(*value, "arches"));
  TRY(const std::vector<std::string> caps, Texts(*value, "caps"));
  for (const std::string& name : caps) {
    if (const auto number = kernel::CapabilityNumber(name)) {
      filter.caps |= kernel::CapabilityBit(*number);
    } else {
      filter.unknown_caps = true;
    }
  }
  TRY(const std::string version, Text(*value, "minKernel"));
  if (!version.empty()) {
    TRY(filter.min_kernel, ParseVersion(version));
  }
  return filter;
}

bool NamesThisMachine(const Filter& filter) {
  return std::ranges::find(filter.arches, kArchitecture) != filter.arches.end();
}

Result<bool> Holds(const JsonValue& rule, const SeccompConditions& conditions) {
  TRY(const Filter excludes, ReadFilter(rule, "excludes"));
  if (NamesThisMachine(excludes) || (excludes.caps & conditions.granted) != 0 ||
      (excludes.min_kernel && conditions.running >= *excludes.min_kernel)) {
    return false;
  }
  TRY(const Filter includes, ReadFilter(rule, "includes"));
  return (includes.arches.empty() || NamesThisMachine(includes)) && !includes.unknown_caps &&
         (includes.caps & ~conditions.granted) == 0 &&
         (!includes.min_kernel || conditions.running >= *includes.min_kernel);
}

Result<kernel::SeccompAction> ReadAction(const JsonValue& object, const std::string& key) {
  TRY(const std::string name, Text(object, key));
  if (name.empty()) return Invalid(key + " is missing");
  const auto action = kernel::ParseSeccompAction(name);
  if (!action) return Invalid(key + " \"" + name + "\" is not known");
  return *action;
}

Result<SeccompArgument> ReadArgument(const JsonValue& from) {
  SeccompArgument argument;
  TRY(const auto index, Number(from, "index", std::numeric_limits<uint32_t>::max()));
  TRY(const auto value, Number(from, "value"));
  TRY(const auto value_two, Number(from, "valueTwo"));
  TRY(const std::string name, Text(from, "op"));
  const auto op = kernel::ParseSeccompOperator(name);
  if (!op) return Invalid("op \"" + name + "\" is not known");
  argument.index = static_cast<uint32_t>(index.value_or(0));
  argument.value = value.value_or(0);
  argument.value_two = value_two.value_or(0);
  argument.op = *op;
  return argument;
}

Result<SeccompRule> ReadRule(const JsonValue& from) {
  SeccompRule rule;
  TRY(rule.names, Texts(from, "names"));
  TRY(const std::string name, Text(from, "name"));
  if (!name.empty() && !rule.names.empty()) {
    return Invalid("a rule has both name and names");
  }
  if (!name.empty()) rule.names = {name};
  TRY(rule.action, ReadAction(from, "action"));
  TRY(rule.errno_ret, ErrnoOf(from, "errnoRet"));
  TRY(const auto arguments, Objects(from, "args"));
  for (const JsonValue* argument : arguments) {
    TRY(SeccompArgument read, ReadArgument(*argument));
    rule.args.push_back(read);
  }
  return rule;
}

Result<void> AddArchitectures(const std::vector<std::string>& names, SeccompProfile* profile) {
  for (const std::string& name : names) {
    const auto architecture = kernel::ParseSeccompArchitecture(name);
    if (architecture.ok()) {
      profile->architectures.push_back(*architecture);
    } else if (architecture.error().code() != Code::kNotFound) {
      return architecture.error();
    }
  }
  return {};
}

Result<void> ReadArchitectures(const JsonValue& from, SeccompProfile* profile) {
  TRY(const std::vector<std::string> names, Texts(from, "architectures"));
  TRY(const auto map, Objects(from, "archMap"));
  if (!names.empty() && !map.empty()) {
    return Invalid("a profile has both architectures and archMap");
  }
  TRY_VOID(AddArchitectures(names, profile));
  for (const JsonValue* entry : map) {
    TRY(const std::string name, Text(*entry, "architecture"));
    TRY(const std::vector<std::string> others, Texts(*entry, "subArchitectures"));
    const auto architecture = kernel::ParseSeccompArchitecture(name);
    if (!architecture.ok() && architecture.error().code() != Code::kNotFound) {
      return architecture.error();
    }
    if (!architecture.ok() || *architecture != kernel::NativeArchitectures().front()) continue;
    profile->architectures.push_back(*architecture);
    TRY_VOID(AddArchitectures(others, profile));
  }
  // A profile for other machines alone: its rules are by name, and hold for this one's calls.
  if (profile->architectures.empty()) {
    profile->architectures = {kernel::NativeArchitectures().front()};
  }
  return {};
}

Result<SeccompProfile> Read(const JsonValue& from, const SeccompConditions& conditions) {
  SeccompProfile profile;
  if (!from.is_object()) return Invalid("is no JSON object");
  TRY(profile.default_action, ReadAction(from, "defaultAction"));
  TRY(profile.default_errno_ret, ErrnoOf(from, "defaultErrnoRet"));
  TRY_VOID(ReadArchitectures(from, &profile));
  TRY(const std::vector<std::string> flags, Texts(from, "flags"));
  for (const std::string& name : flags) {
    const auto flag = kernel::ParseSeccompFlag(name);
    if (!flag) return Invalid("flag \"" + name + "\" is not known");
    profile.flags |= *flag;
  }
  TRY(const std::string listener, Text(from, "listenerPath"));
  if (!listener.empty()) return Invalid("listenerPath: no agent is spoken to");
  TRY(const auto rules, Objects(from, "syscalls"));
  for (const JsonValue* one : rules) {
    TRY(const bool holds, Holds(*one, conditions));
    if (!holds) continue;
    TRY(SeccompRule rule, ReadRule(*one));
    profile.syscalls.push_back(std::move(rule));
  }
  return profile;
}

}  // namespace

KernelVersion RunningKernel() {
  utsname names{};
  KernelVersion version;
  if (uname(&names) != 0) return version;
  const std::string_view release(&names.release[0]);
  const char* const end = release.data() + release.size();
  const auto major = std::from_chars(release.data(), end, version.major);
  if (major.ptr != end) std::from_chars(major.ptr + 1, end, version.minor);
  return version;
}

Result<SeccompProfile> ParseSeccompProfile(std::string_view json,
                                           const SeccompConditions& conditions) {
  TRY(const JsonValue value, reflect::ParseJson(json, {.max_depth = kMaxDepth}));
  return Read(value, conditions);
}

}  // namespace podium::runtime
