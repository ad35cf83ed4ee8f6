#include "pki/octets.h"

#include <openssl/err.h>

namespace podium::pki {

std::string TakeReason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown error";
}

}  // namespace podium::pki
