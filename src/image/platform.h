// Which of an image's manifests a machine runs: operating system, architecture and its variant.
// The words, their other spellings and the order of preference are those of containerd's default
// matcher (github.com/containerd/platforms 1.0, Only).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/types/oci_image.h"

namespace podium::image {

using wire::oci_image::Platform;

// Spelled in one way: aarch64 is arm64, armhf is arm/v7, arm64/v8 is arm64.
Platform NormalizePlatform(Platform platform);

// Of this machine.
Platform HostPlatform();

// "linux/arm64/v8", "linux/amd64"; "arm64" or "linux" alone means this machine's other half.
// kInvalidArgument.
Result<Platform> ParsePlatform(std::string_view text);

// "linux/arm/v7"
std::string PlatformText(const Platform& platform);

class PlatformMatcher {
 public:
  // What a machine of this platform runs: amd64 also runs 386, arm/v7 also arm/v6 and arm/v5, and
  // so on.
  explicit PlatformMatcher(const Platform& machine = HostPlatform());

  // How good the platform is for the machine: 0 is best. Nothing: it cannot run it.
  std::optional<size_t> Rank(const Platform& platform) const;
  const Platform& machine() const { return accepted_.front(); }

 private:
  std::vector<Platform> accepted_;  // normalized, the best first
};

}  // namespace podium::image
