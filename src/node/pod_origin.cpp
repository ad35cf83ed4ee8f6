#include "node/pod_origin.h"

namespace podium::node {
namespace {

std::string_view AnnotationOf(const v1::Pod& pod, std::string_view key) {
  const auto found = pod.metadata.annotations.find(key);
  return found == pod.metadata.annotations.end() ? std::string_view() : found->second;
}

}  // namespace

PodOrigin OriginOf(const v1::Pod& pod) {
  const std::string_view source = AnnotationOf(pod, kConfigSourceAnnotation);
  if (source == "api") return PodOrigin::kApi;
  return source == "file" ? PodOrigin::kFile : PodOrigin::kSocket;
}

void KeepLocalAnnotations(const v1::Pod& before, v1::Pod* pod) {
  for (const std::string_view key :
       {kConfigSourceAnnotation, kConfigSeenAnnotation, kConfigHashAnnotation}) {
    const std::string_view value = AnnotationOf(before, key);
    if (!value.empty()) pod->metadata.annotations[std::string(key)] = value;
  }
}

}  // namespace podium::node
