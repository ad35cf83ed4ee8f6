#include "node/disk_use.h"

#include <fcntl.h>

#include "node/labels.h"

namespace podium::node {

namespace cri = wire::cri;

kernel::TreeUsage FolderUse(const std::string& path) {
  const auto folder = kernel::OpenPath(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!folder.ok()) return {};
  const auto usage = kernel::UsageOf(folder->get());
  return usage.ok() ? *usage : kernel::TreeUsage();
}

std::map<std::string, kernel::TreeUsage> WritableLayers(const v1::Pod& pod,
                                                        runtime::Runtime& runtime) {
  cri::ContainerStatsFilter filter;
  filter.label_selector.emplace(kPodUidLabel, pod.metadata.uid);
  const auto all = runtime.ListContainerStats(filter);
  std::map<std::string, kernel::TreeUsage> out;
  std::map<std::string, uint32_t> attempts;
  if (!all.ok()) return out;
  for (const cri::ContainerStats& stats : *all) {
    if (!stats.attributes || !stats.attributes->metadata) continue;
    const cri::ContainerMetadata& metadata = *stats.attributes->metadata;
    const auto [newest, first] = attempts.try_emplace(metadata.name, metadata.attempt);
    if (!first && metadata.attempt < newest->second) continue;
    newest->second = metadata.attempt;
    kernel::TreeUsage& layer = out[metadata.name];
    layer = {};
    if (!stats.writable_layer) continue;
    if (stats.writable_layer->used_bytes) layer.bytes = stats.writable_layer->used_bytes->value;
    if (stats.writable_layer->inodes_used) layer.inodes = stats.writable_layer->inodes_used->value;
  }
  return out;
}

}  // namespace podium::node
