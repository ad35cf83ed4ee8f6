#include "cli/option_values.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "api/labels.h"
#include "api/time.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

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

Result<api::meta::v1::LabelSelector> ParseLabelSelector(const std::string& text) {
  const auto selector = api::labels::Selector::Parse(text);
  if (!selector.ok()) {
    return Usage("couldn't parse the selector string \"" + text +
                 "\": " + selector.error().message());
  }
  using api::labels::Operator;
  api::meta::v1::LabelSelector out;
  const auto add = [&](const api::labels::Requirement& requirement, const char* name) {
    api::meta::v1::LabelSelectorRequirement& expression = out.matchExpressions.emplace_back();
    expression.key = requirement.key();
    expression.operator_ = name;
    expression.values = requirement.values();
    std::ranges::sort(expression.values);
  };
  const auto refused = [](const char* sign, const char* why) {
    return Usage(reflect::GoQuoted(sign) + why);
  };
  constexpr const char* kNotHere = " isn't supported in label selectors";
  for (const api::labels::Requirement& requirement : selector->requirements()) {
    switch (requirement.op()) {
      case Operator::kEquals:
      case Operator::kDoubleEquals:
        out.matchLabels[requirement.key()] = requirement.values().front();
        break;
      case Operator::kIn:
        add(requirement, "In");
        break;
      case Operator::kNotIn:
        add(requirement, "NotIn");
        break;
      case Operator::kExists:
        add(requirement, "Exists");
        break;
      case Operator::kDoesNotExist:
        add(requirement, "DoesNotExist");
        break;
      case Operator::kGreaterThan:
        return refused("gt", kNotHere);
      case Operator::kLessThan:
        return refused("lt", kNotHere);
      case Operator::kNotEquals:
        return refused("!=", " is not a valid label selector operator");
    }
  }
  return out;
}

Result<reflect::Map<api::Quantity>> ParseAmounts(std::string_view text) {
  reflect::Map<api::Quantity> amounts;
  if (text.empty()) return amounts;
  for (const std::string_view pair : Split(text, ',')) {
    const auto parts = Split(pair, '=');
    if (parts.size() != 2) {
      return Usage("Invalid argument syntax " + std::string(pair) +
                   ", expected <resource>=<value>");
    }
    TRY(amounts[std::string(parts[0])], api::Quantity::Parse(parts[1]));
  }
  return amounts;
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

Invocation WithoutUsers(const Invocation& invocation, std::span<const Option> options) {
  Invocation rest;
  for (const Option& option : options) {
    if (option.name == std::string_view("user")) continue;
    for (std::string& value : invocation.All(option.name)) rest.Add(option.name, std::move(value));
  }
  const auto& arguments = invocation.arguments();
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i == invocation.arguments_before_dashes()) rest.MarkDashes();
    rest.AddArgument(arguments[i]);
  }
  return rest;
}

}  // namespace podium::cli
