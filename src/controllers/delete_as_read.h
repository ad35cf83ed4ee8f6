// Deleting what was decided upon, and nothing that has come in its place. Internal to the room.
#pragma once

#include "api/types/meta_v1.h"
#include "base/result.h"
#include "client/connection.h"

namespace podium::controllers {

// Of exactly this state: one that was written or made anew since stays, and is looked at again.
inline Result<void> DeleteAsRead(client::Connection& connection, client::Target target,
                                 const api::meta::v1::ObjectMeta& read) {
  target.namespace_ = read.namespace_;
  target.name = read.name;
  api::meta::v1::DeleteOptions options;
  options.preconditions.ensure().uid = read.uid;
  options.preconditions->resourceVersion = read.resourceVersion;
  const auto deleted = connection.Delete(target, options);
  if (deleted.ok()) return {};
  const Code code = deleted.error().code();
  if (code == Code::kNotFound || code == Code::kConflict) return {};
  return deleted.error();
}

}  // namespace podium::controllers
