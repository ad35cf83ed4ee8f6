#include "cli/option_values.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "api/time.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

Error InvalidValue(std::string_view option, std::string_view text, const std::string& why) {
  return {Code::kInvalidArgument, "invalid argument " + reflect::GoQuoted(text) + " for \"--" +
                                      std::string(option) + "\" flag: " + why};
}

// A part that begins at *at, which then is where it ends; nothing where the quotes are wrong.
std::optional<std::string> QuotedPart(const std::string& line, size_t* at) {
  std::string part;
  for (size_t i = *at + 1; i < line.size(); ++i) {
    if (line[i] == '"' && line.substr(i, 2) != "\"\"") {
      *at = i + 1;
      if (*at < line.size() && line[*at] != ',') return {};
      return part;
    }
    if (line[i] == '"') ++i;
    part += line[i];
  }
  return {};
}

std::optional<std::string> PlainPart(const std::string& line, size_t* at) {
  const size_t end = std::min(line.find(',', *at), line.size());
  std::string part = line.substr(*at, end - *at);
  *at = end;
  if (part.contains('"')) return {};
  return part;
}

}  // namespace

Result<int64_t> IntegerOption(const Invocation& invocation, std::string_view option,
                              int64_t otherwise) {
  if (!invocation.Has(option)) return otherwise;
  const std::string_view text = invocation.Get(option);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) {
    return InvalidValue(
        option, text,
        "strconv.ParseInt: parsing " + reflect::GoQuoted(text) + ": value out of range");
  }
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidValue(
        option, text, "strconv.ParseInt: parsing " + reflect::GoQuoted(text) + ": invalid syntax");
  }
  return number;
}

Result<std::chrono::nanoseconds> TimeOption(const Invocation& invocation, std::string_view option) {
  const std::string_view text = invocation.Get(option, "0s");
  const auto time = api::Duration::Parse(text);
  if (!time.ok()) return InvalidValue(option, text, time.error().message());
  return std::chrono::nanoseconds(time->nanos());
}

Result<reflect::Map<std::string>> ParseLabelPairs(std::string_view text) {
  if (text.empty()) return Error(Code::kInvalidArgument, "no label spec passed");
  reflect::Map<std::string> labels;
  for (const std::string_view pair : Split(text, ',')) {
    const auto parts = Split(pair, '=');
    if (parts.size() != 2) {
      return Error(Code::kInvalidArgument, "unexpected label spec: " + std::string(pair));
    }
    if (parts[0].empty()) return Error(Code::kInvalidArgument, "unexpected empty label key");
    labels[std::string(parts[0])] = parts[1];
  }
  return labels;
}

Result<std::vector<std::string>> PartsOption(const Invocation& invocation,
                                             std::string_view option) {
  std::vector<std::string> parts;
  for (const std::string& value : invocation.All(option)) {
    if (value.empty()) continue;
    for (size_t at = 0; at <= value.size(); ++at) {
      auto part = value.substr(at, 1) == "\"" ? QuotedPart(value, &at) : PlainPart(value, &at);
      if (!part) return InvalidValue(option, value, "a quote is missing or in the wrong place");
      parts.push_back(*std::move(part));
    }
  }
  return parts;
}

Error ArgumentsError(std::string_view command, const std::string& message) {
  return {Code::kInvalidArgument,
          message + "\nSee 'podium " + std::string(command) + " -h' for help and examples"};
}

}  // namespace podium::cli
