// Images for tests, put into a content store blob by blob, as a puller does.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "image/content_store.h"

namespace podium::image {

struct ImageBuilder {
  struct Blob {
    std::string bytes;
    std::string media_type;
  };
  std::vector<Blob> layers;
  std::vector<std::string> diff_ids;
  std::string config = R"("config":{"Cmd":["/bin/sh"]})";  // a member of the document
  std::string architecture = "amd64";

  // A layer, stored as it is or compressed.
  ImageBuilder& Layer(const std::string& tar) {
    return Layer(tar, tar, "application/vnd.oci.image.layer.v1.tar");
  }
  ImageBuilder& Layer(const std::string& tar, std::string stored, std::string media_type) {
    layers.push_back({std::move(stored), std::move(media_type)});
    diff_ids.push_back(DigestOf(tar).String());
    return *this;
  }

  std::string Config() const;
  std::string Manifest() const;
  // Returns the manifest's digest.
  Digest PutInto(ContentStore* content) const;
};

inline std::string DescriptorText(const std::string& bytes, const std::string& media_type) {
  return R"({"mediaType":")" + media_type + R"(","digest":")" + DigestOf(bytes).String() +
         R"(","size":)" + std::to_string(bytes.size()) + '}';
}

inline std::string ImageBuilder::Config() const {
  std::string ids;
  for (const std::string& id : diff_ids) ids += (ids.empty() ? "\"" : ",\"") + id + '"';
  return R"({"architecture":")" + architecture + R"(","os":"linux",)" + config +
         R"(,"rootfs":{"type":"layers","diff_ids":[)" + ids + "]}}";
}

inline std::string ImageBuilder::Manifest() const {
  std::string list;
  for (const Blob& layer : layers) {
    list += (list.empty() ? "" : ",") + DescriptorText(layer.bytes, layer.media_type);
  }
  return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
         DescriptorText(Config(), "application/vnd.oci.image.config.v1+json") + R"(,"layers":[)" +
         list + "]}";
}

inline Digest ImageBuilder::PutInto(ContentStore* content) const {
  for (const Blob& layer : layers) static_cast<void>(content->Put(layer.bytes));
  static_cast<void>(content->Put(Config()));
  return *content->Put(Manifest());
}

}  // namespace podium::image
