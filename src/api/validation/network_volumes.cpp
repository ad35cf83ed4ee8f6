#include <algorithm>
#include <string>
#include <string_view>

#include "api/validation/common.h"
#include "api/validation/volume_sources.h"
#include "base/ascii.h"
#include "base/text.h"

namespace podium::api {
namespace {

constexpr std::string_view kLunRange = "must be between 0 and 255, inclusive";

// iqn.2001-04.com.example:disk, at the very end of the text.
bool EndsWithIqn(std::string_view text) {
  for (size_t at = text.find("iqn."); at != text.npos; at = text.find("iqn.", at + 1)) {
    const std::string_view rest = text.substr(at + 4);
    constexpr std::string_view kDate = "dddd-dd.";
    if (rest.size() < kDate.size()) return false;
    const bool date = std::ranges::equal(
        rest.substr(0, kDate.size()), kDate,
        [](char c, char pattern) { return pattern == 'd' ? IsDigit(c) : c == pattern; });
    if (!date) continue;
    const std::string_view authority = rest.substr(kDate.size());
    const size_t length =
        size_t(std::ranges::find_if_not(
                   authority, [](char c) { return IsLetterOrDigit(c) || c == '-' || c == '.'; }) -
               authority.begin());
    if (length == 0 || length == authority.size() || authority[length] != ':') continue;
    const std::string_view name = authority.substr(length + 1);
    if (!name.empty() && name.find_first_of(",;*&$|\t\n\f\r ") == name.npos) return true;
  }
  return false;
}

// A prefix, any one character, and `count` letters or digits.
bool IsNumberedName(std::string_view text, std::string_view prefix, size_t count) {
  if (!text.starts_with(prefix) || text.size() < prefix.size() + 1 + count) return false;
  const std::string_view separator =
      text.substr(prefix.size(), text.size() - count - prefix.size());
  const auto is_continuation = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
  };
  return separator[0] != '\n' && std::ranges::all_of(separator.substr(1), is_continuation) &&
         std::ranges::all_of(text.substr(text.size() - count), IsLetterOrDigit);
}

void CheckIscsiName(std::string_view name, const field::Path& path, field::ErrorList* errors) {
  const bool valid = name.starts_with("iqn") ? EndsWithIqn(name)
                     : name.starts_with("eui")
                         ? IsNumberedName(name, "eui", 16)
                         : name.starts_with("naa") && IsNumberedName(name, "naa", 32);
  if (valid) return;
  const bool known = name.starts_with("iqn") || name.starts_with("eui") || name.starts_with("naa");
  errors->Add(field::Invalid(
      path, name,
      known ? "must be valid format" : "must be valid format starting with iqn, eui, or naa"));
}

// As Go's net.SplitHostPort accepts: the port may be empty, an IPv6 host stands in brackets.
bool IsHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return false;
  if (text[0] == '[') {
    const size_t end = text.find(']');
    return end != text.npos && end + 1 == colon && text.find('[', 1) == text.npos &&
           text.find(']', end + 1) == text.npos;
  }
  return text.find(':') == colon && text.find('[') == text.npos && text.find(']') == text.npos;
}

}  // namespace

void CheckNfs(const core::v1::NFSVolumeSource& source, const field::Path& path,
              field::ErrorList* errors) {
  CheckNotEmpty(source.server, path, "server", errors);
  CheckNotEmpty(source.path, path, "path", errors);
  if (!source.path.starts_with('/')) {
    errors->Add(field::Invalid(path.Child("path"), source.path, "must be an absolute path"));
  }
}

void CheckIscsi(const core::v1::ISCSIVolumeSource& source, const field::Path& path,
                field::ErrorList* errors) {
  CheckNotEmpty(source.targetPortal, path, "targetPortal", errors);
  if (source.iqn.empty()) {
    errors->Add(field::Required(path.Child("iqn"), ""));
  } else {
    CheckIscsiName(source.iqn, path.Child("iqn"), errors);
  }
  if (source.lun < 0 || source.lun > 255) {
    errors->Add(field::Invalid(path.Child("lun"), source.lun, kLunRange));
  }
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) {
    errors->Add(field::Required(path.Child("secretRef"), ""));
  }
  if (source.initiatorName) {
    CheckIscsiName(*source.initiatorName, path.Child("initiatorname"), errors);
  }
}

void CheckFc(const core::v1::FCVolumeSource& source, const field::Path& path,
             field::ErrorList* errors) {
  const field::Path names = path.Child("targetWWNs");
  if (source.targetWWNs.empty() && source.wwids.empty()) {
    errors->Add(field::Required(names, "must specify either targetWWNs or wwids, but not both"));
  }
  if (!source.targetWWNs.empty() && !source.wwids.empty()) {
    errors->Add(field::Invalid(names, source.targetWWNs,
                               "targetWWNs and wwids can not be specified simultaneously"));
  }
  if (source.targetWWNs.empty()) return;
  const field::Path lun = path.Child("lun");
  if (!source.lun) {
    errors->Add(field::Required(lun, "lun is required if targetWWNs is specified"));
  } else if (*source.lun < 0 || *source.lun > 255) {
    errors->Add(field::Invalid(lun, *source.lun, kLunRange));
  }
}

void CheckGlusterfs(const core::v1::GlusterfsVolumeSource& source, const field::Path& path,
                    field::ErrorList* errors) {
  CheckNotEmpty(source.endpoints, path, "endpoints", errors);
  CheckNotEmpty(source.path, path, "path", errors);
}

void CheckFlocker(const core::v1::FlockerVolumeSource& source, const field::Path& path,
                  field::ErrorList* errors) {
  if (source.datasetName.empty() && source.datasetUUID.empty()) {
    errors->Add(field::Required(path, "one of datasetName and datasetUUID is required"));
  }
  if (!source.datasetName.empty() && !source.datasetUUID.empty()) {
    errors->Add(field::Invalid(path, "resource",
                               "datasetName and datasetUUID can not be specified simultaneously"));
  }
  if (source.datasetName.find('/') != std::string::npos) {
    errors->Add(
        field::Invalid(path.Child("datasetName"), source.datasetName, "must not contain '/'"));
  }
}

void CheckRbd(const core::v1::RBDVolumeSource& source, const field::Path& path,
              field::ErrorList* errors) {
  if (source.monitors.empty()) errors->Add(field::Required(path.Child("monitors"), ""));
  CheckNotEmpty(source.image, path, "image", errors);
}

void CheckCephFs(const core::v1::CephFSVolumeSource& source, const field::Path& path,
                 field::ErrorList* errors) {
  if (source.monitors.empty()) errors->Add(field::Required(path.Child("monitors"), ""));
}

void CheckQuobyte(const core::v1::QuobyteVolumeSource& source, const field::Path& path,
                  field::ErrorList* errors) {
  constexpr std::string_view kPairs =
      "must be a host:port pair or multiple pairs separated by commas";
  const field::Path registry = path.Child("registry");
  if (source.registry.empty()) {
    errors->Add(field::Required(registry, kPairs));
  } else if (source.tenant.size() >= 65) {
    errors->Add(field::Required(path.Child("tenant"),
                                "must be a UUID and may not exceed a length of 64 characters"));
  } else {
    for (const std::string_view pair : Split(source.registry, ',')) {
      if (!IsHostPort(pair)) errors->Add(field::Invalid(registry, source.registry, kPairs));
    }
  }
  CheckNotEmpty(source.volume, path, "volume", errors);
}

void CheckFlexVolume(const core::v1::FlexVolumeSource& source, const field::Path& path,
                     field::ErrorList* errors) {
  CheckNotEmpty(source.driver, path, "driver", errors);
  const field::Path options = path.Child("options");
  for (const auto& [key, value] : source.options) {
    const std::string space = "." + LowerToAscii(key.substr(0, key.find('/')));
    if (space.ends_with(".kubernetes.io") || space.ends_with(".k8s.io")) {
      errors->Add(field::Invalid(options.Key(key), key,
                                 "kubernetes.io and k8s.io namespaces are reserved"));
    }
  }
}

void CheckScaleIo(const core::v1::ScaleIOVolumeSource& source, const field::Path& path,
                  field::ErrorList* errors) {
  CheckNotEmpty(source.gateway, path, "gateway", errors);
  CheckNotEmpty(source.system, path, "system", errors);
  CheckNotEmpty(source.volumeName, path, "volumeName", errors);
}

void CheckStorageOs(const core::v1::StorageOSVolumeSource& source, const field::Path& path,
                    field::ErrorList* errors) {
  const field::Path name = path.Child("volumeName");
  if (source.volumeName.empty()) {
    errors->Add(field::Required(name, ""));
  } else {
    errors->Append(ValidateDNS1123Label(source.volumeName, name));
  }
  if (!source.volumeNamespace.empty()) {
    errors->Append(ValidateDNS1123Label(source.volumeNamespace, path.Child("volumeNamespace")));
  }
  if (source.secretRef)
    CheckNotEmpty(source.secretRef->name, path.Child("secretRef"), "name", errors);
}

void CheckPortworx(const core::v1::PortworxVolumeSource& source, const field::Path& path,
                   field::ErrorList* errors) {
  CheckNotEmpty(source.volumeID, path, "volumeID", errors);
}

}  // namespace podium::api
