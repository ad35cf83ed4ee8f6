// Who runs it: the pod's word, else the image's, looked up in the image's own files through its
// root (user_db.h).
#include "runtime/isolators/all.h"
#include "runtime/user_db.h"

namespace podium::runtime {

Result<void> PrepareUser(const ContainerContext& context, Draft* draft) {
  const auto& security = SecurityOf(context.config);
  TRY(const std::string text, UserText(security, context.image.document.config.User));
  TRY(const UserDatabase users, UserDatabase::Read(draft->root.fd()));
  TRY(const UserIdentity identity, users.Find(text));
  shim::Plan& plan = draft->plan;
  plan.uid = identity.uid;
  plan.gid = identity.gid;
  TRY(plan.groups,
      users.Groups(identity, security.supplemental_groups_policy, security.supplemental_groups));
  if (!identity.home.empty()) draft->home = identity.home;
  draft->user.uid = identity.uid;
  draft->user.gid = identity.gid;
  draft->user.supplemental_groups.assign(plan.groups.begin(), plan.groups.end());
  return {};
}

}  // namespace podium::runtime
