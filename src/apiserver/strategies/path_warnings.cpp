// Files of one volume that stand in each other's way (upstream's pkg/api/pod/warnings.go,
// warningsForOverlappingVirtualPaths).

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apiserver/strategies/pod_spec_rules.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Volume;
using api::core::v1::VolumeProjection;
using reflect::GoQuoted;

// A file of a volume; of a projected one, what it comes from.
struct VirtualPath {
  std::string path;
  std::string source{};

  std::string String() const {
    return source.empty() ? GoQuoted(path) : fmt::format("{} ({})", GoQuoted(path), source);
  }
};

// The same file, or one that would have to be a folder of the other.
bool Overlap(const VirtualPath& a, const VirtualPath& b) {
  if (a.path.empty() || b.path.empty()) return false;
  const std::string first = a.path + "/";
  const std::string second = b.path + "/";
  return first.starts_with(second) || second.starts_with(first);
}

template <class Items>
std::vector<VirtualPath> PathsOf(const Items& items, const std::string& source = "") {
  std::vector<VirtualPath> paths;
  paths.reserve(items.size());
  for (const auto& item : items) paths.push_back({item.path, source});
  return paths;
}

std::vector<VirtualPath> PathsOfSource(const VolumeProjection& source) {
  if (source.configMap && !source.configMap->items.empty()) {
    return PathsOf(source.configMap->items, "ConfigMap " + GoQuoted(source.configMap->name));
  }
  if (source.secret && !source.secret->items.empty()) {
    return PathsOf(source.secret->items, "Secret " + GoQuoted(source.secret->name));
  }
  if (source.downwardAPI && !source.downwardAPI->items.empty()) {
    return PathsOf(source.downwardAPI->items, "DownwardAPI");
  }
  if (source.serviceAccountToken) {
    return {{source.serviceAccountToken->path, "ServiceAccountToken"}};
  }
  return {};
}

void WarnOf(const Volume& volume, std::string_view what, std::vector<VirtualPath> paths,
            std::vector<std::string>* warnings) {
  for (size_t i = 0; i < paths.size(); ++i) {
    std::string& path = paths[i].path;
    while (path.ends_with('/')) path.pop_back();
    for (size_t j = 0; j < i; ++j) {
      if (!Overlap(paths[j], paths[i])) continue;
      warnings->push_back(fmt::format("volume {} ({}): overlapping paths: {} with {}",
                                      GoQuoted(volume.name), what, paths[i].String(),
                                      paths[j].String()));
    }
  }
}

}  // namespace

void WarnOfOverlappingPaths(const reflect::List<Volume>& volumes,
                            std::vector<std::string>* warnings) {
  for (const Volume& volume : volumes) {
    if (volume.configMap) {
      WarnOf(volume, "ConfigMap " + GoQuoted(volume.configMap->name),
             PathsOf(volume.configMap->items), warnings);
    }
    if (volume.secret) {
      WarnOf(volume, "Secret " + GoQuoted(volume.secret->secretName), PathsOf(volume.secret->items),
             warnings);
    }
    if (volume.downwardAPI) {
      WarnOf(volume, "DownwardAPI", PathsOf(volume.downwardAPI->items), warnings);
    }
    if (!volume.projected) continue;
    std::vector<VirtualPath> paths;
    for (const VolumeProjection& source : volume.projected->sources) {
      std::ranges::move(PathsOfSource(source), std::back_inserter(paths));
    }
    WarnOf(volume, "Projected", std::move(paths), warnings);
  }
}

}  // namespace podium::apiserver
