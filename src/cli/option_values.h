// Values of options that are numbers and times, read as kubectl reads them, with its words for
// those that are none.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/quantity.h"
#include "api/types/meta_v1.h"
#include "base/result.h"
#include "cli/command.h"
#include "reflect/values.h"

namespace podium::cli {

// kInvalidArgument where it is given and is no number of 64 bits.
Result<int64_t> IntegerOption(const Invocation& invocation, std::string_view option,
                              int64_t otherwise);
// "10s", "1h5m"; 0 where it is not given.
Result<std::chrono::nanoseconds> TimeOption(const Invocation& invocation, std::string_view option);

// "a=b,c=d". kInvalidArgument where it is another text, also the empty one.
Result<reflect::Map<std::string>> ParseLabelPairs(std::string_view text);
// What a selector's text means, as the struct of the API has it.
Result<api::meta::v1::LabelSelector> ParseLabelSelector(const std::string& text);
// "cpu=100m,memory=1Gi"; nothing of "".
Result<reflect::Map<api::Quantity>> ParseAmounts(std::string_view text);
// The parts of all values, each a line of comma-separated values (RFC 4180): "a,b" or "\"a,b\",c".
Result<std::vector<std::string>> PartsOption(const Invocation& invocation, std::string_view option);

// The same without --user, of commands of which it is no user of the kubeconfig.
Invocation WithoutUsers(const Invocation& invocation, std::span<const Option> options);

// kubectl's error of a command's arguments: the message, and where to find help.
Error ArgumentsError(std::string_view command, const std::string& message);

}  // namespace podium::cli
