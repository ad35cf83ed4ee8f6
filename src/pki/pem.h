// Blocks of PEM text (RFC 7468), found as Go's encoding/pem finds them: text around blocks is
// passed over, and so are blocks that are not whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace podium::pki {

struct PemBlock {
  std::string type;          // what follows BEGIN: CERTIFICATE
  bool has_headers = false;  // lines "Key: value" before the data
  std::string bytes;         // decoded
};

// The first block of *text, which then begins behind it. Nothing, and *text as it was, when there
// is none.
std::optional<PemBlock> TakePemBlock(std::string_view* text);

// A block of this type: lines of 64 characters, as everybody writes them.
std::string ToPem(std::string_view type, std::string_view bytes);

}  // namespace podium::pki
