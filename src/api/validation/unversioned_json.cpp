#include "api/validation/unversioned_json.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

#include "api/validation/common.h"
#include "base/ascii.h"
#include "reflect/base64.h"
#include "reflect/json.h"

namespace podium::api {

using reflect::Field;
using reflect::Kind;
using reflect::Shape;
using reflect::Type;

namespace {

// JSON names whose Go names do not just begin with a capital.
struct GoName {
  std::string_view json;
  std::string_view go;
};
constexpr GoName kGoNames[] = {
    {"apiGroup", "APIGroup"},
    {"apiGroups", "APIGroups"},
    {"apiVersion", "APIVersion"},
    {"awsElasticBlockStore", "AWSElasticBlockStore"},
    {"cel", "CEL"},
    {"cephfs", "CephFS"},
    {"chapAuthDiscovery", "DiscoveryCHAPAuth"},
    {"chapAuthSession", "SessionCHAPAuth"},
    {"cidrs", "CIDRs"},
    {"csi", "CSI"},
    {"diskURI", "DataDiskURI"},
    {"dnsConfig", "DNSConfig"},
    {"dnsPolicy", "DNSPolicy"},
    {"endpoints", "EndpointsName"},
    {"fc", "FC"},
    {"fsGroup", "FSGroup"},
    {"fsGroupChangePolicy", "FSGroupChangePolicy"},
    {"fsType", "FSType"},
    {"gcePersistentDisk", "GCEPersistentDisk"},
    {"gmsaCredentialSpec", "GMSACredentialSpec"},
    {"gmsaCredentialSpecName", "GMSACredentialSpecName"},
    {"grpc", "GRPC"},
    {"httpGet", "HTTPGet"},
    {"httpHeaders", "HTTPHeaders"},
    {"ip", "IP"},
    {"iqn", "IQN"},
    {"iscsi", "ISCSI"},
    {"iscsiInterface", "ISCSIInterface"},
    {"jsonPath", "JSONPath"},
    {"nfs", "NFS"},
    {"os", "OS"},
    {"pdName", "PDName"},
    {"rbd", "RBD"},
    {"seLinuxChangePolicy", "SELinuxChangePolicy"},
    {"seLinuxOptions", "SELinuxOptions"},
    {"sslEnabled", "SSLEnabled"},
    {"storageos", "StorageOS"},
    {"tcpSocket", "TCPSocket"},
    {"tty", "TTY"},
    {"uid", "UID"},
    {"wwids", "WWIDs"},
};
// Of RBDVolumeSource, where they differ from the same names elsewhere.
constexpr GoName kRbdNames[] = {{"image", "RBDImage"},
                                {"monitors", "CephMonitors"},
                                {"pool", "RBDPool"},
                                {"user", "RadosUser"}};
// Of DeviceAttribute, whose JSON names are those of types.
constexpr GoName kAttributeNames[] = {{"bool", "BoolValue"},       {"bools", "BoolValues"},
                                      {"int", "IntValue"},         {"ints", "IntValues"},
                                      {"string", "StringValue"},   {"strings", "StringValues"},
                                      {"version", "VersionValue"}, {"versions", "VersionValues"}};

// The unversioned PodSpec in its own order. Five fields of the versioned one are part of the
// security context there, and one is an alias.
constexpr std::string_view kPodSpecOrder[] = {"volumes",
                                              "initContainers",
                                              "containers",
                                              "ephemeralContainers",
                                              "restartPolicy",
                                              "terminationGracePeriodSeconds",
                                              "activeDeadlineSeconds",
                                              "dnsPolicy",
                                              "nodeSelector",
                                              "serviceAccountName",
                                              "automountServiceAccountToken",
                                              "nodeName",
                                              "securityContext",
                                              "imagePullSecrets",
                                              "hostname",
                                              "subdomain",
                                              "setHostnameAsFQDN",
                                              "affinity",
                                              "schedulerName",
                                              "tolerations",
                                              "hostAliases",
                                              "priorityClassName",
                                              "priority",
                                              "preemptionPolicy",
                                              "dnsConfig",
                                              "readinessGates",
                                              "runtimeClassName",
                                              "overhead",
                                              "enableServiceLinks",
                                              "topologySpreadConstraints",
                                              "os",
                                              "schedulingGates",
                                              "resourceClaims",
                                              "resources",
                                              "hostnameOverride",
                                              "schedulingGroup"};
// The unversioned PersistentVolumeSource in its own order.
constexpr std::string_view kVolumeSourceOrder[] = {"gcePersistentDisk",
                                                   "awsElasticBlockStore",
                                                   "hostPath",
                                                   "glusterfs",
                                                   "nfs",
                                                   "rbd",
                                                   "quobyte",
                                                   "iscsi",
                                                   "flexVolume",
                                                   "cinder",
                                                   "cephfs",
                                                   "fc",
                                                   "flocker",
                                                   "azureFile",
                                                   "vsphereVolume",
                                                   "azureDisk",
                                                   "photonPersistentDisk",
                                                   "portworxVolume",
                                                   "scaleIO",
                                                   "local",
                                                   "storageos",
                                                   "csi"};
constexpr std::string_view kHostFields[] = {"hostNetwork", "hostPID", "hostIPC",
                                            "shareProcessNamespace", "hostUsers"};

std::string GoNameOf(const Type& type, std::string_view json) {
  const auto name_in = [&](std::span<const GoName> names) {
    const auto found = std::ranges::find(names, json, &GoName::json);
    return found == names.end() ? std::string_view() : found->go;
  };
  std::string_view known;
  if (std::strcmp(type.name, "RBDVolumeSource") == 0) known = name_in(kRbdNames);
  if (std::strcmp(type.name, "DeviceAttribute") == 0) known = name_in(kAttributeNames);
  if (known.empty()) known = name_in(kGoNames);
  if (!known.empty()) return std::string(known);
  std::string name(json);
  name[0] = ToUpper(name[0]);
  return name;
}

class Writer {
 public:
  explicit Writer(std::string* out) : out_(*out) {}

  void Object(const Type& type, const void* object) {
    if (IsMeta(type)) {
      Tagged(type, object);
      return;
    }
    out_ += '{';
    bool first = true;
    if (Is(type, "PodSpec")) {
      PodSpec(type, object, &first);
    } else if (Is(type, "PersistentVolumeSource")) {
      for (std::string_view name : kVolumeSourceOrder) Row(type, *type.Find(name), object, &first);
    } else if (Is(type, "Volume")) {
      Volume(type, object, &first);
    } else if (Is(type, "PersistentVolumeClaimTemplate") || Is(type, "PodTemplateSpec") ||
               Is(type, "ResourceClaimTemplateSpec")) {
      Template(type, object, &first);
    } else {
      Rows(type, object, &first);
    }
    out_ += '}';
  }

 private:
  static bool Is(const Type& type, const char* name) { return std::strcmp(type.name, name) == 0; }
  // Types of apimachinery have one form only, with JSON names and omission.
  static bool IsMeta(const Type& type) {
    return std::strcmp(type.package->proto_package, "k8s.io.apimachinery.pkg.apis.meta.v1") == 0;
  }

  void Tagged(const Type& type, const void* object) {
    // Cannot fail: metadata and selectors hold no raw JSON that a decoder did not check.
    if (!reflect::EncodeJson(type, object, &out_).ok()) out_ += "null";
  }

  void Key(std::string_view name, bool* first) {
    if (!*first) out_ += ',';
    *first = false;
    reflect::AppendJsonString(name, &out_);
    out_ += ':';
  }

  void Row(const Type& type, const Field& field, const void* object, bool* first) {
    Key(GoNameOf(type, field.name()), first);
    Value(field, field.at(object));
  }

  void Rows(const Type& type, const void* object, bool* first) {
    for (const Field& field : type.fields) Row(type, field, object, first);
  }

  void PodSpec(const Type& type, const void* object, bool* first) {
    for (std::string_view name : kPodSpecOrder) {
      const Field& field = *type.Find(name);
      if (name != "securityContext") {
        Row(type, field, object, first);
        continue;
      }
      Key("SecurityContext", first);
      out_ += '{';
      bool first_inside = true;
      for (std::string_view host : kHostFields) Row(type, *type.Find(host), object, &first_inside);
      const auto& context = static_cast<const core::v1::PodSpec*>(object)->securityContext;
      const core::v1::PodSecurityContext none;
      Rows(*field.type, context ? context.get() : &none, &first_inside);
      out_ += '}';
    }
  }

  // As the versioned one but for the place of one source.
  void Volume(const Type& type, const void* object, bool* first) {
    for (const Field& field : type.fields) {
      if (field.name() == "quobyte") continue;
      Row(type, field, object, first);
      if (field.name() == "rbd") Row(type, *type.Find("quobyte"), object, first);
    }
  }

  // The metadata is embedded, so that its fields stand among those of the template.
  void Template(const Type& type, const void* object, bool* first) {
    const Field& metadata = *type.Find("metadata");
    std::string meta;
    if (reflect::EncodeJson(*metadata.type, metadata.at(object), &meta).ok() && meta.size() > 2) {
      out_.append(meta, 1, meta.size() - 2);
      *first = false;
    }
    Row(type, *type.Find("spec"), object, first);
  }

  void Value(const Field& field, const void* at) {
    switch (field.shape) {
      case Shape::kList:
        List(field, at);
        return;
      case Shape::kMap:
        if (field.map().size(at) == 0) {
          out_ += "null";
          return;
        }
        break;
      case Shape::kBox: {
        const void* object = static_cast<const reflect::BoxStorage*>(at)->object;
        if (object) {
          Object(*field.type, object);
        } else {
          out_ += "null";
        }
        return;
      }
      case Shape::kScalar:
        if (field.kind == Kind::kStruct) {
          Object(*field.type, at);
          return;
        }
        break;
      case Shape::kOptional:
        break;
    }
    // Scalars, leaves and maps of them look the same in both forms.
    if (!reflect::EncodeJsonField(field, at, &out_).ok()) out_ += "null";
  }

  void List(const Field& field, const void* at) {
    const reflect::ListOps& ops = field.list();
    size_t size = ops.size(at);
    if (size == 0) {
      out_ += "null";
      return;
    }
    if (field.kind != Kind::kStruct) {
      if (!reflect::EncodeJsonField(field, at, &out_).ok()) out_ += "null";
      return;
    }
    const char* element = static_cast<const char*>(ops.data(at));
    for (size_t i = 0; i < size; ++i, element += ops.stride) {
      out_ += i == 0 ? '[' : ',';
      Object(*field.type, element);
    }
    out_ += ']';
  }

  std::string& out_;
};

// Spreads compact JSON over lines, one space a level, as Go's json.Indent.
std::string Indented(std::string_view json) {
  std::string out;
  size_t depth = 0;
  bool in_string = false;
  auto new_line = [&] { out.append("\n").append(depth, ' '); };
  for (size_t i = 0; i < json.size(); ++i) {
    char c = json[i];
    out += c;
    if (in_string) {
      if (c == '\\') {
        out += json[++i];
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    switch (c) {
      case '"':
        in_string = true;
        break;
      case ':':
        out += ' ';
        break;
      case ',':
        new_line();
        break;
      case '{':
      case '[':
        if (json[i + 1] == '}' || json[i + 1] == ']') {
          out += json[++i];
          break;
        }
        ++depth;
        new_line();
        break;
      case '}':
      case ']':
        out.pop_back();
        --depth;
        new_line();
        out += c;
        break;
      default:
        break;
    }
  }
  return out;
}

}  // namespace

field::BadValue UnversionedValueOf(const Type& type, const void* object) {
  std::string json;
  Writer(&json).Object(type, object);
  return field::BadValue::Json(std::move(json));
}

field::BadValue BytesValue(const reflect::Bytes& bytes) {
  if (bytes.empty() && !bytes.present) return nullptr;
  std::string json = "\"";
  reflect::AppendBase64(bytes.data, &json);
  return field::BadValue::Json(json + "\"");
}

std::string LinesOf(const field::BadValue& value) { return Indented(value.text()); }

}  // namespace podium::api
