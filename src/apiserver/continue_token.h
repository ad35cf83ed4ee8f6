// Continue tokens of lists, as upstream writes them (k8s.io/apiserver/pkg/storage/continue.go):
// base64url of {"v":"meta.k8s.io/v1","rv":12,"start":"default/web\u0000"}. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/entry.h"

namespace podium::apiserver {

struct ContinueToken {
  std::string start;            // the first key of the next page, behind the list's prefix
  store::Revision version = 0;  // of the state; below 0: the newest
};

std::string EncodeContinue(const ContinueToken& token);
// kInvalidArgument with upstream's message: `continue key is not valid: …`.
Result<ContinueToken> DecodeContinue(std::string_view text);

}  // namespace podium::apiserver
