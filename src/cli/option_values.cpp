#include "cli/option_values.h"

#include <charconv>

#include "api/time.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

Error InvalidValue(std::string_view option, std::string_view text, const std::string& why) {
  return {Code::kInvalidArgument, "invalid argument " + reflect::GoQuoted(text) + " for \"--" +
                                      std::string(option) + "\" flag: " + why};
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

Error ArgumentsError(std::string_view command, const std::string& message) {
  return {Code::kInvalidArgument,
          message + "\nSee 'podium " + std::string(command) + " -h' for help and examples"};
}

}  // namespace podium::cli
