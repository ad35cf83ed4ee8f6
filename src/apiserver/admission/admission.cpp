#include "apiserver/admission/admission.h"

namespace podium::apiserver {

std::string_view NameOf(Operation operation) {
  switch (operation) {
    case Operation::kCreate:
      return "CREATE";
    case Operation::kUpdate:
      return "UPDATE";
    case Operation::kDelete:
      return "DELETE";
    case Operation::kConnect:
      return "CONNECT";
  }
  return "";
}

}  // namespace podium::apiserver
