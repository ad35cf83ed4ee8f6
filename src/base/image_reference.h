// References to images, as people write them and as registries are asked for them. The grammar, the
// normalization and the errors are those of github.com/distribution/reference 0.6:
//   reference := [domain "/"] component {"/" component} [":" tag] ["@" digest]
// Here, because both the API's defaults and the image room read them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace podium {

//   written                     domain           path             tag     digest
//   nginx                       docker.io        library/nginx
//   me/app:2                    docker.io        me/app           2
//   reg:5000/nginx@sha256:...   reg:5000         nginx                    sha256:...
struct ImageReference {
  // Empty where what stands before the first slash looks like a domain but reads only as the first
  // part of the path ("a_b.c/d"); there is no registry to ask for that.
  std::string domain;
  std::string path;
  std::string tag;
  std::string digest;  // of a registered algorithm and of its length: "sha256:<64 digits>"

  // Errors are kInvalidArgument, in upstream's words.
  static Result<ImageReference> Parse(std::string_view text);

  // "docker.io/library/nginx"
  std::string Repository() const;
  // "docker.io/library/nginx:1.25@sha256:..."; Parse reads it back.
  std::string String() const;
  // As people write it: "nginx:1.25". Parse reads it back.
  std::string Familiar() const;

  // Names neither tag nor digest, which means the tag "latest".
  bool IsNameOnly() const { return tag.empty() && digest.empty(); }

  friend bool operator==(const ImageReference&, const ImageReference&) = default;
};

// The registered algorithms (OCI image specification 1.1, descriptor.md), and how many digits
// theirs have.
struct DigestAlgorithm {
  const char* name;
  size_t digits;
};
inline constexpr DigestAlgorithm kDigestAlgorithms[] = {
    {"sha256", 64}, {"sha384", 96}, {"sha512", 128}};

// Why the text is no digest, in upstream's words; null when it is one.
const char* DigestProblem(std::string_view text);

}  // namespace podium
