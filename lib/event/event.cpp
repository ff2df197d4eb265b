#include "event/event.h"

#include "event/evidence_kind.h"

namespace geotally {

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::kPost:
      return "post";
    case EventKind::kPostDelete:
      return "post_delete";
    case EventKind::kProfile:
      return "profile";
    case EventKind::kProfileDelete:
      return "profile_delete";
    case EventKind::kAddress:
      return "address";
    case EventKind::kAddressDelete:
      return "address_delete";
    case EventKind::kIdentity:
      return "identity";
    case EventKind::kAccount:
      return "account";
    case EventKind::kSync:
      return "sync";
  }
  return "";
}

std::string_view to_string(EventField field) {
  switch (field) {
    case EventField::kText:
      return "text";
    case EventField::kCreatedAt:
      return "created_at";
    case EventField::kLangs:
      return "langs";
    case EventField::kReply:
      return "reply";
    case EventField::kDisplayName:
      return "display_name";
    case EventField::kDescription:
      return "description";
    case EventField::kWebsite:
      return "website";
    case EventField::kAddress:
      return "address";
    case EventField::kCountry:
      return "country";
    case EventField::kHandle:
      return "handle";
    case EventField::kStatus:
      return "status";
  }
  return "";
}

std::string_view to_string(Rejection reason) {
  switch (reason) {
    case Rejection::kMalformed:
      return "malformed";
    case Rejection::kTooDeep:
      return "too_deep";
    case Rejection::kTooLarge:
      return "too_large";
    case Rejection::kInvalidUtf8:
      return "invalid_utf8";
    case Rejection::kMissingField:
      return "missing_field";
    case Rejection::kInvalidField:
      return "invalid_field";
    case Rejection::kNotText:
      return "not_text";
    case Rejection::kDecompression:
      return "decompression";
  }
  return "";
}

std::string_view to_string(Notice notice) {
  switch (notice) {
    case Notice::kOutdatedCursor:
      return "outdated_cursor";
    case Notice::kConsumerTooSlow:
      return "consumer_too_slow";
    case Notice::kInternalError:
      return "internal_error";
    case Notice::kUnknownFrame:
      return "unknown_frame";
    case Notice::kOther:
      return "other";
  }
  return "";
}

std::string_view to_string(Drop reason) {
  switch (reason) {
    case Drop::kReplayed:
      return "replayed";
    case Drop::kTooOld:
      return "too_old";
    case Drop::kFuture:
      return "future";
    case Drop::kUncounted:
      return "uncounted";
    case Drop::kResync:
      return "resync";
    case Drop::kFutureRevision:
      return "future_revision";
    case Drop::kReopening:
      return "reopening";
  }
  return "";
}

std::string_view to_string(EvidenceKind kind) {
  switch (kind) {
    case EvidenceKind::kNone:
      return "none";
    case EvidenceKind::kExplicit:
      return "explicit";
    case EvidenceKind::kPlace:
      return "place";
    case EvidenceKind::kFlag:
      return "flag";
    case EvidenceKind::kDomain:
      return "domain";
    case EvidenceKind::kRegion:
      return "region";
    case EvidenceKind::kLanguage:
      return "language";
    case EvidenceKind::kZone:
      return "zone";
  }
  return "";
}

}  // namespace geotally
