#include "image/platform.h"

#include <sys/utsname.h>

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/text.h"

namespace podium::image {
namespace {

constexpr int kOldestArm = 5;
// v9.0 came out of v8.5: v9.x runs what v8.(x+5) runs.
constexpr int kArm9Offset = 5;

// "v8.2" is 8 and 2, "v8" is 8 and 0; -1 when it is no number.
struct Version {
  int major = -1;
  int minor = 0;
};

int Number(std::string_view text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

Version VersionOf(std::string_view variant) {
  if (variant.starts_with('v')) variant.remove_prefix(1);
  const size_t dot = variant.find('.');
  Version version{Number(variant.substr(0, dot)), 0};
  if (dot != std::string_view::npos) version.minor = std::max(0, Number(variant.substr(dot + 1)));
  // Nobody makes more of them, and each is a line of the list.
  version.minor = std::min(version.minor, 9);
  return version;
}

std::string VariantText(int major, int minor) {
  std::string text = "v" + std::to_string(major);
  if (minor > 0) text += '.' + std::to_string(minor);
  return text;
}

Platform With(const Platform& platform, std::string architecture, std::string variant) {
  Platform out = platform;
  out.architecture = std::move(architecture);
  out.variant = std::move(variant);
  return out;
}

void AddArm(const Platform& machine, int major, std::vector<Platform>* out) {
  for (int older = major; older >= kOldestArm; --older) {
    out->push_back(With(machine, "arm", VariantText(older, 0)));
  }
}

void AddArm64(const Platform& machine, std::vector<Platform>* out) {
  Version version = machine.variant.empty() ? Version{8, 0} : VersionOf(machine.variant);
  auto add = [&](int major, int minor) {
    // Normalized, v8.0 is the empty variant.
    out->push_back(
        With(machine, "arm64", major == 8 && minor == 0 ? "" : VariantText(major, minor)));
  };
  if (version.major == 9) {
    for (int minor = version.minor - 1; minor >= 0; --minor) add(9, minor);
    version = {8, version.minor + kArm9Offset + 1};
  }
  if (version.major == 8) {
    for (int minor = version.minor - 1; minor >= 0; --minor) add(8, minor);
  }
  if (version.major >= 8) AddArm(machine, 8, out);
}

void NormalizeArm(Platform* platform) {
  if (platform->variant.empty() || platform->variant == "7") platform->variant = "v7";
  if (const std::string& v = platform->variant; v == "5" || v == "6" || v == "8") {
    platform->variant = "v" + v;
  }
}

void NormalizeArm64(Platform* platform) {
  std::string& variant = platform->variant;
  if (variant == "8" || variant == "v8" || variant == "8.0" || variant == "v8.0") variant.clear();
  if (variant == "9" || variant == "9.0" || variant == "v9.0") variant = "v9";
}

bool IsWord(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return IsLetterOrDigit(c) || c == '_' || c == '-' || c == '.';
  });
}

}  // namespace

Platform NormalizePlatform(Platform platform) {
  platform.os = LowerCase(platform.os);
  platform.architecture = LowerCase(platform.architecture);
  platform.variant = LowerCase(platform.variant);
  if (platform.os.empty()) platform.os = "linux";
  if (platform.os == "macos") platform.os = "darwin";

  std::string& architecture = platform.architecture;
  if (architecture == "i386") {
    architecture = "386";
    platform.variant.clear();
  } else if (architecture == "x86_64" || architecture == "x86-64" || architecture == "amd64") {
    architecture = "amd64";
    if (platform.variant == "v1") platform.variant.clear();
  } else if (architecture == "aarch64" || architecture == "arm64") {
    architecture = "arm64";
    NormalizeArm64(&platform);
  } else if (architecture == "armhf" || architecture == "armel") {
    platform.variant = architecture == "armhf" ? "v7" : "v6";
    architecture = "arm";
  } else if (architecture == "arm") {
    NormalizeArm(&platform);
  }
  return platform;
}

Platform HostPlatform() {
  utsname names{};
  uname(&names);
  Platform platform;
  platform.os = "linux";
  const std::string_view machine = names.machine;
  // The kernel's words where they differ from Go's.
  if (machine == "i686" || machine == "i586") {
    platform.architecture = "386";
  } else if (machine.starts_with("armv")) {
    platform.architecture = "arm";
    platform.variant = machine.substr(3, 2);
  } else if (machine == "loongarch64") {
    platform.architecture = "loong64";
  } else {
    platform.architecture = machine;
  }
  return NormalizePlatform(std::move(platform));
}

Result<Platform> ParsePlatform(std::string_view text) {
  std::vector<std::string> parts;
  for (std::string_view rest = text;;) {
    const size_t slash = rest.find('/');
    if (!IsWord(rest.substr(0, slash)) || parts.size() == 3) {
      return Error(Code::kInvalidArgument,
                   '"' + std::string(text) + "\" is no platform like linux/amd64 or linux/arm/v7");
    }
    parts.emplace_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  Platform platform = HostPlatform();
  if (parts.size() == 1) {
    if (EqualsIgnoringCase(parts[0], "linux")) return platform;
    platform.architecture = parts[0];
    platform.variant.clear();
    return NormalizePlatform(std::move(platform));
  }
  platform.os = parts[0];
  platform.architecture = parts[1];
  platform.variant = parts.size() == 3 ? parts[2] : "";
  return NormalizePlatform(std::move(platform));
}

std::string PlatformText(const Platform& platform) {
  std::string text = platform.os + '/' + platform.architecture;
  if (!platform.variant.empty()) text += '/' + platform.variant;
  return text;
}

PlatformMatcher::PlatformMatcher(const Platform& machine) : accepted_{NormalizePlatform(machine)} {
  const Platform own = accepted_.front();
  if (own.architecture == "amd64") {
    for (int older = VersionOf(own.variant).major - 1; older >= 1; --older) {
      accepted_.push_back(With(own, "amd64", older == 1 ? "" : VariantText(older, 0)));
    }
    accepted_.push_back(With(own, "386", ""));
  } else if (own.architecture == "arm") {
    AddArm(own, VersionOf(own.variant).major - 1, &accepted_);
  } else if (own.architecture == "arm64") {
    AddArm64(own, &accepted_);
  }
}

std::optional<size_t> PlatformMatcher::Rank(const Platform& platform) const {
  const Platform normal = NormalizePlatform(platform);
  for (size_t i = 0; i < accepted_.size(); ++i) {
    const Platform& accepted = accepted_[i];
    if (accepted.os == normal.os && accepted.architecture == normal.architecture &&
        accepted.variant == normal.variant) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace podium::image
