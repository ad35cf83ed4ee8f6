#include "apiserver/authentication/authenticator.h"

#include "api/status.h"

namespace podium::apiserver {

Error UnauthorizedAnswer() { return api::UnauthorizedError("Unauthorized"); }

}  // namespace podium::apiserver
