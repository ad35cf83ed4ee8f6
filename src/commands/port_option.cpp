#include "commands/port_option.h"

#include <charconv>
#include <string>

namespace podium::commands {

Result<uint16_t> PortOf(const cli::Invocation& invocation, std::string_view option,
                        uint16_t otherwise) {
  const std::string_view text = invocation.Get(option);
  if (text.empty()) return otherwise;
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  if (error == std::errc() && at == end) return port;
  return Error(Code::kInvalidArgument, "--" + std::string(option) + " is no port: \"" +
                                           std::string(text) + "\"; it is 0 to 65535");
}

}  // namespace podium::commands
