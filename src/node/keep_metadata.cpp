#include "node/keep_metadata.h"

#include "api/status.h"

namespace podium::node {

Result<void> KeepMetadata(std::string_view plural, const api::meta::v1::ObjectMeta& stored,
                          api::meta::v1::ObjectMeta* metadata) {
  if (!metadata->uid.empty() && metadata->uid != stored.uid) {
    return api::PreconditionError({"", plural}, stored.name, "UID", metadata->uid, stored.uid);
  }
  if (!metadata->resourceVersion.empty() && metadata->resourceVersion != stored.resourceVersion) {
    return api::ModifiedError({"", plural}, stored.name);
  }
  metadata->uid = stored.uid;
  metadata->resourceVersion = stored.resourceVersion;
  metadata->generation = stored.generation;
  metadata->generateName = stored.generateName;
  metadata->creationTimestamp = stored.creationTimestamp;
  metadata->deletionTimestamp = stored.deletionTimestamp;
  metadata->deletionGracePeriodSeconds = stored.deletionGracePeriodSeconds;
  return {};
}

}  // namespace podium::node
