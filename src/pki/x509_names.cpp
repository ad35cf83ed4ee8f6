#include "pki/x509_names.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "base/owned.h"
#include "pki/octets.h"

namespace podium::pki {
namespace {

constexpr char kUidOid[] = "1.3.6.1.4.1.57683.2";

std::string_view View(const ASN1_STRING* text) {
  const void* const data = ASN1_STRING_get0_data(text);
  return {static_cast<const char*>(data), static_cast<size_t>(ASN1_STRING_length(text))};
}

Result<std::string> TextOf(const ASN1_STRING* value) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, value);
  ERR_clear_error();
  if (size < 0) return BadInput("x509: a name is no text");
  const void* const bytes = text;
  std::string copy(static_cast<const char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(text);
  if (copy.contains('\0')) return BadInput("x509: a name has a NUL in it");
  return copy;
}

// Names of hosts and the like are ASCII in certificates.
Result<std::string> AsciiOf(const ASN1_STRING* value) {
  const std::string_view text = View(value);
  const bool ascii = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!ascii) return BadInput("x509: SAN is malformed");
  return std::string(text);
}

Result<std::string> AddressOf(const ASN1_STRING* value) {
  const std::string_view bytes = View(value);
  if (bytes.size() != 4 && bytes.size() != 16) {
    return BadInput("x509: cannot parse IP address of length " + std::to_string(bytes.size()));
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return std::string(text.data());
}

Result<void> AddEntry(X509_NAME* name, const ASN1_OBJECT* kind, const std::string& value) {
  if (X509_NAME_add_entry_by_OBJ(name, kind, MBSTRING_UTF8, Octets(value),
                                 static_cast<int>(value.size()), -1, 0) == 1) {
    return {};
  }
  return BadInput("the name '" + value + "' does not fit into a certificate: " + TakeReason());
}

Result<void> AddName(GENERAL_NAMES* names, int kind, std::string_view bytes) {
  GENERAL_NAME* const name = GENERAL_NAME_new();
  ASN1_STRING* const value =
      ASN1_STRING_type_new(kind == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
  if (name == nullptr || value == nullptr ||
      ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())) != 1) {
    GENERAL_NAME_free(name);
    ASN1_STRING_free(value);
    return Error(Code::kInternal, "x509: " + TakeReason());
  }
  GENERAL_NAME_set0_value(name, kind, value);
  sk_GENERAL_NAME_push(names, name);
  return {};
}

Result<void> AddText(GENERAL_NAMES* names, int kind, const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    const bool ascii = std::ranges::all_of(value, [](char c) { return c > ' ' && c < '\x7f'; });
    if (value.empty() || !ascii) {
      return BadInput("the name '" + value + "' does not fit into a certificate");
    }
    TRY_VOID(AddName(names, kind, value));
  }
  return {};
}

Result<void> AddAddresses(GENERAL_NAMES* names, const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    std::array<char, 16> bytes{};
    size_t size = 0;
    if (inet_pton(AF_INET, value.c_str(), bytes.data()) == 1) size = 4;
    if (size == 0 && inet_pton(AF_INET6, value.c_str(), bytes.data()) == 1) size = 16;
    if (size == 0) return BadInput("'" + value + "' is no IP address");
    TRY_VOID(AddName(names, GEN_IPADD, {bytes.data(), size}));
  }
  return {};
}

}  // namespace

void FreeNames::operator()(stack_st_GENERAL_NAME* names) const { GENERAL_NAMES_free(names); }

Result<Subject> ReadSubject(const X509_NAME* name) {
  const Owned<ASN1_OBJECT, ASN1_OBJECT_free> uid_kind(OBJ_txt2obj(kUidOid, 1));
  Subject subject;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* const entry = X509_NAME_get_entry(name, i);
    const ASN1_OBJECT* const kind = X509_NAME_ENTRY_get_object(entry);
    const int nid = OBJ_obj2nid(kind);
    const bool is_uid = OBJ_cmp(kind, uid_kind.get()) == 0;
    if (nid != NID_commonName && nid != NID_organizationName && !is_uid) continue;
    TRY(std::string text, TextOf(X509_NAME_ENTRY_get_data(entry)));
    if (is_uid) {
      subject.uids.push_back(std::move(text));
    } else if (nid == NID_commonName) {
      subject.common_name = std::move(text);
    } else {
      subject.organizations.push_back(std::move(text));
    }
  }
  return subject;
}

Result<void> WriteSubject(const Subject& subject, X509_NAME* name) {
  for (const std::string& organization : subject.organizations) {
    TRY_VOID(AddEntry(name, OBJ_nid2obj(NID_organizationName), organization));
  }
  if (!subject.common_name.empty()) {
    TRY_VOID(AddEntry(name, OBJ_nid2obj(NID_commonName), subject.common_name));
  }
  const Owned<ASN1_OBJECT, ASN1_OBJECT_free> uid_kind(OBJ_txt2obj(kUidOid, 1));
  for (const std::string& uid : subject.uids) TRY_VOID(AddEntry(name, uid_kind.get(), uid));
  return {};
}

Result<AlternativeNames> ReadNames(const GENERAL_NAMES* names) {
  AlternativeNames result;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    int kind = 0;
    const void* const value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &kind);
    if (kind != GEN_DNS && kind != GEN_IPADD && kind != GEN_EMAIL && kind != GEN_URI) continue;
    const auto* const string = static_cast<const ASN1_STRING*>(value);
    if (kind == GEN_IPADD) {
      TRY(std::string address, AddressOf(string));
      result.addresses.push_back(std::move(address));
      continue;
    }
    TRY(std::string text, AsciiOf(string));
    auto& list = kind == GEN_DNS ? result.dns : kind == GEN_EMAIL ? result.emails : result.uris;
    list.push_back(std::move(text));
  }
  return result;
}

Result<OwnedNames> WriteNames(const AlternativeNames& names) {
  OwnedNames result(sk_GENERAL_NAME_new_null());
  TRY_VOID(AddText(result.get(), GEN_DNS, names.dns));
  TRY_VOID(AddText(result.get(), GEN_EMAIL, names.emails));
  TRY_VOID(AddAddresses(result.get(), names.addresses));
  TRY_VOID(AddText(result.get(), GEN_URI, names.uris));
  if (sk_GENERAL_NAME_num(result.get()) == 0) result.reset();
  return result;
}

}  // namespace podium::pki
