// Between strings and what OpenSSL's functions take. Private to pki.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace podium::pki {

inline const unsigned char* Octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());  // NOLINT: OpenSSL's octets
}
inline unsigned char* Octets(std::string* bytes) {
  return reinterpret_cast<unsigned char*>(bytes->data());  // NOLINT: likewise
}

// What one of OpenSSL's i2d functions writes; "" for what it cannot.
template <class Function, class T>
std::string Encode(Function* i2d, T* object) {
  const int size = i2d(object, nullptr);
  if (size <= 0) return "";
  std::string der(static_cast<size_t>(size), '\0');
  unsigned char* at = Octets(&der);
  i2d(object, &at);
  return der;
}

// The reason of OpenSSL's newest error; its queue is then empty.
std::string TakeReason();

inline Error BadInput(std::string message) {
  return Error(Code::kInvalidArgument, std::move(message));
}

}  // namespace podium::pki
