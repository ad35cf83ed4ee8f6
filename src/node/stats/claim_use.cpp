#include "node/stats/claim_use.h"

#include <algorithm>

#include "node/volumes/claimed_volume.h"
#include "node/volumes/claimed_volumes.h"

namespace podium::node {

std::vector<ClaimUse> MeasureClaims(const v1::Pod& pod, const NodeConfig& config) {
  std::vector<ClaimUse> claims;
  for (const v1::Volume& volume : pod.spec.volumes) {
    const auto claim = ClaimOf(pod, volume);
    if (!claim) continue;
    const auto found = ReadClaimedVolume(config, pod.metadata.uid, volume.name);
    if (!found.ok() || !found->spec.local) continue;
    const auto use = ReadFileSystemUse(found->spec.local->path);
    if (!use) continue;
    claims.push_back({.name_space = pod.metadata.namespace_,
                      .claim = claim->name,
                      .volume = volume.name,
                      .use = *use});
  }
  return claims;
}

void SortClaims(std::vector<ClaimUse>* claims) {
  std::ranges::sort(*claims, {}, &ClaimUse::key);
  const auto twice = std::ranges::unique(*claims, {}, &ClaimUse::key);
  claims->erase(twice.begin(), twice.end());
}

}  // namespace podium::node
