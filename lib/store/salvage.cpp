#include "store/salvage.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <queue>
#include <utility>

#include <fmt/format.h>

namespace geotally::store {
namespace {

namespace fs = std::filesystem;

// Of the families that for_each() reads; the others' keys are no numbers.
constexpr std::array<std::size_t, kFamilies> kKeyBytes = {0, 8, 5, 8, 8, 0, 4, 8, 5};

std::string key_of(std::uint64_t number, std::size_t bytes) {
  return number_key(number).substr(sizeof number - bytes);
}

std::optional<Family> family_of(std::string_view name) {
  const auto found = std::find(kFamilyNames.begin(), kFamilyNames.end(), name);
  if (found == kFamilyNames.end()) return std::nullopt;
  return static_cast<Family>(found - kFamilyNames.begin());
}

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

rocksdb::ReadOptions whole_scan() {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  return options;
}

}  // namespace

Scan::Scan(Make make, std::size_t key_bytes)
    : make_(std::move(make)),
      rows_(make_()),
      key_bytes_(key_bytes),
      last_number_(UINT64_MAX >> (64 - 8 * key_bytes)) {}

void Scan::read_number() {
  number_ = 0;
  if (!rows_->Valid()) return;
  for (const char c : key()) number_ = number_ << 8 | static_cast<std::uint8_t>(c);
}

bool Scan::try_seek(std::uint64_t number) {
  rows_->Seek(key_of(number, key_bytes_));
  read_number();
  if (rows_->status().ok()) return true;
  // RocksDB 7.8 may take the block that failed for the one before it at the next seek.
  rows_.reset(make_());
  return false;
}

// RocksDB does not say where a block that it cannot read ends: the first number behind it is looked
// for, by strides that grow slowly (the block after the next may be unreadable, too) and then by
// halves.
void Scan::seek(std::uint64_t number) {
  hole_.reset();
  if (try_seek(number)) return;
  std::uint64_t unreadable = number;
  std::uint64_t readable = number;
  for (std::uint64_t stride = 1;; stride += stride / 8 + 1) {
    if (last_number_ - unreadable < stride) {
      hole_ = {number, last_number_};
      return;  // not valid: nothing behind it can be read
    }
    readable = unreadable + stride;
    if (try_seek(readable)) break;
    unreadable = readable;
  }
  while (readable - unreadable > 1) {
    const std::uint64_t middle = unreadable + (readable - unreadable) / 2;
    (try_seek(middle) ? readable : unreadable) = middle;
  }
  hole_ = {number, unreadable};
  static_cast<void>(try_seek(readable));
}

void Scan::next() {
  hole_.reset();
  const std::uint64_t before = number_;
  rows_->Next();
  read_number();
  if (rows_->status().ok()) return;
  rows_.reset(make_());
  if (before != last_number_) seek(before + 1);
}

std::unique_ptr<OpenDatabase> OpenDatabase::open(const std::string& directory,
                                                 std::optional<rocksdb::WALRecoveryMode> mode) {
  rocksdb::DBOptions options;
  options.create_if_missing = mode.has_value();
  options.create_missing_column_families = mode.has_value();
  options.wal_recovery_mode =
      mode.value_or(rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords);
  // Of the store itself: a log that files are ahead of must be whole.
  options.track_and_verify_wals_in_manifest = !mode;
  std::vector<std::string> found;
  if (!mode && !rocksdb::DB::ListColumnFamilies(options, directory, &found).ok()) return nullptr;
  std::vector<Family> wanted;
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    const bool may_lack = !mode && i >= kFamiliesOldest;
    if (may_lack && std::ranges::count(found, kFamilyNames[i]) == 0) continue;
    wanted.push_back(static_cast<Family>(i));
    descriptors.emplace_back(kFamilyNames[i], rocksdb::ColumnFamilyOptions());
  }
  auto opened = std::make_unique<OpenDatabase>();
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  options.env = opened->disk.get();
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status =
      mode ? rocksdb::DB::Open(options, directory, descriptors, &handles, &raw)
           : rocksdb::DB::OpenForReadOnly(options, directory, descriptors, &handles, &raw);
  opened->db.reset(raw);
  if (!status.ok()) return nullptr;
  for (std::size_t i = 0; i < wanted.size(); ++i) opened->families[wanted[i]] = handles[i];
  return opened;
}

OpenDatabase::~OpenDatabase() {
  if (!db) return;
  for (rocksdb::ColumnFamilyHandle* family : families) {
    if (family != nullptr) db->DestroyColumnFamilyHandle(family);
  }
  db->Close();
}

Salvage::Salvage(const std::string& data_dir, const std::string& scratch)
    : view_(scratch + "/view"), scratch_(scratch) {
  try {
    make_view(fs::absolute(data_dir).string(), view_);
  } catch (const fs::filesystem_error& error) {
    throw IoError(error.what());
  }
  store_ = OpenDatabase::open(view_, std::nullopt);
}

Salvage::~Salvage() = default;

// Links to the files of the store, and a CURRENT that names a manifest which is there.
void Salvage::make_view(const std::string& data_dir, const std::string& view) {
  fs::create_directories(view);
  std::string manifest;
  for (const auto& entry : fs::directory_iterator(data_dir)) {
    const std::string name = entry.path().filename().string();
    const bool part =
        name.starts_with("MANIFEST-") || name.ends_with(".sst") || name.ends_with(".log");
    if (!part || entry.is_directory()) continue;
    fs::create_symlink(entry.path(), view + "/" + name);
    if (name.starts_with("MANIFEST-")) manifest = std::max(manifest, name);
  }
  const std::string current = first_line(data_dir + "/CURRENT");
  if (current.starts_with("MANIFEST-") && fs::exists(data_dir + "/" + current)) manifest = current;
  if (!manifest.empty()) std::ofstream(view + "/CURRENT") << manifest << "\n";
}

void Salvage::open_files() {
  if (std::exchange(files_open_, true)) return;
  const auto open = [this](const std::string& path) {
    auto file = std::make_unique<File>();
    if (file->reader.Open(path).ok()) {
      if (const auto family = family_of(file->reader.GetTableProperties()->column_family_name)) {
        file->family = *family;
        files_.push_back(std::move(file));
        return;
      }
    }
    ++files_lost_;
  };
  if (opened()) {
    std::vector<rocksdb::LiveFileMetaData> live;
    store_->db->GetLiveFilesMetaData(&live);
    for (const auto& file : live) open(view_ + file.name);
  } else {
    for (const auto& entry : fs::directory_iterator(view_)) {
      if (entry.path().extension() == ".sst") open(entry.path().string());
    }
  }
  replay_logs();
}

// RocksDB reads logs only into a database: into an empty one, whose families are numbered as they
// are in every store of ours. A log that breaks off is read up to there: what follows is of later
// commits, and a cursor that is ahead of what was counted would lose the stretch between.
void Salvage::replay_logs() {
  std::vector<fs::path> logs;
  for (const auto& entry : fs::directory_iterator(view_)) {
    if (entry.path().extension() == ".log") logs.push_back(entry.path());
  }
  if (logs.empty()) return;
  const std::string directory = scratch_ + "/logs";
  for (const auto mode : {rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords,
                          rocksdb::WALRecoveryMode::kPointInTimeRecovery}) {
    std::error_code ignored;
    fs::remove_all(directory, ignored);
    static_cast<void>(OpenDatabase::open(directory, mode));
    for (const fs::path& log : logs) {
      // Behind the number of any file of the new database, in the order of the old numbers.
      fs::copy_file(log, fmt::format("{}/9{:0>10}", directory, log.filename().string()), ignored);
    }
    logs_ = OpenDatabase::open(directory, mode);
    if (logs_ != nullptr) return;
    log_broken_ = true;
  }
}

std::optional<std::string> Salvage::logged(std::string_view key) {
  open_files();
  std::string value;
  if (logs_ == nullptr || !logs_->db->Get(whole_scan(), rocksdb::Slice(key), &value).ok()) {
    return std::nullopt;
  }
  return value;
}

std::vector<std::string> Salvage::get(std::string_view key) {
  std::vector<std::string> versions;
  std::string value;
  if (opened()) {
    const rocksdb::Status read = store_->db->Get(whole_scan(), rocksdb::Slice(key), &value);
    if (read.ok()) versions.push_back(value);
    if (read.ok() || read.IsNotFound()) return versions;
  }
  open_files();
  in_pieces_[kDefault] = true;
  for (const auto& file : files_) {
    if (file->family != kDefault) continue;
    const std::unique_ptr<rocksdb::Iterator> rows(file->reader.NewIterator(whole_scan()));
    rows->Seek(rocksdb::Slice(key));
    if (rows->Valid() && rows->key() == key) versions.push_back(rows->value().ToString());
  }
  if (const auto last = logged(key)) versions.push_back(*last);
  return versions;
}

std::set<std::string> Salvage::keys() {
  std::set<std::string> keys;
  const auto read = [&](rocksdb::Iterator* iterator) {
    const std::unique_ptr<rocksdb::Iterator> rows(iterator);
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) keys.insert(rows->key().ToString());
    return rows->status().ok();
  };
  if (opened() && read(store_->db->NewIterator(whole_scan()))) return keys;
  open_files();
  in_pieces_[kDefault] = true;
  for (const auto& file : files_) {
    if (file->family == kDefault) read(file->reader.NewIterator(whole_scan()));
  }
  if (logs_ != nullptr) read(logs_->db->NewIterator(whole_scan()));
  return keys;
}

void Salvage::for_each(Family family, const std::function<void(const Record&)>& visit) {
  if (!opened()) {
    between(family, 0, UINT64_MAX, visit);
    return;
  }
  if (store_->families[family] == nullptr) return;
  Scan scan([&] { return store_->db->NewIterator(whole_scan(), store_->families[family]); },
            kKeyBytes[family]);
  for (scan.seek(0);; scan.next()) {
    if (const auto& hole = scan.hole()) between(family, hole->first, hole->last, visit);
    if (!scan.valid()) return;
    visit({scan.key(), {std::string(scan.value())}, true});
  }
}

// All that files and logs hold of the keys [first, last], each key once.
void Salvage::between(Family family, std::uint64_t first, std::uint64_t last,
                      const std::function<void(const Record&)>& visit) {
  open_files();
  in_pieces_[family] = true;
  std::vector<std::unique_ptr<Scan>> scans;
  const auto add = [&](Scan::Make make) {
    auto scan = std::make_unique<Scan>(std::move(make), kKeyBytes[family]);
    scan->seek(first);
    if (scan->valid()) scans.push_back(std::move(scan));
  };
  for (const auto& file : files_) {
    if (file->family != family) continue;
    add([file = file.get()] { return file->reader.NewIterator(whole_scan()); });
  }
  if (logs_ != nullptr) {
    add([&] { return logs_->db->NewIterator(whole_scan(), logs_->families[family]); });
  }

  const auto later = [](const Scan* a, const Scan* b) { return a->number() > b->number(); };
  std::priority_queue<Scan*, std::vector<Scan*>, decltype(later)> next(later);
  for (const auto& scan : scans) next.push(scan.get());
  while (!next.empty() && next.top()->number() <= last) {
    const std::uint64_t number = next.top()->number();
    const std::string key = key_of(number, kKeyBytes[family]);
    Record record{key, {}, false};
    while (!next.empty() && next.top()->number() == number) {
      Scan* scan = next.top();
      next.pop();
      record.versions.emplace_back(scan->value());
      scan->next();
      if (scan->valid()) next.push(scan);
    }
    visit(record);
  }
}

std::uint64_t Salvage::unreadable(Family family) const {
  if (!in_pieces_[family]) return 0;
  std::uint64_t unreadable = 0;
  for (const auto& file : files_) {
    if (file->family != family) continue;
    const auto properties = file->reader.GetTableProperties();
    std::uint64_t readable = properties->num_deletions;
    const auto make = [&] { return file->reader.NewIterator(whole_scan()); };
    if (family == kDefault) {
      const std::unique_ptr<rocksdb::Iterator> rows(make());
      for (rows->SeekToFirst(); rows->Valid(); rows->Next()) ++readable;
    } else {
      Scan scan(make, kKeyBytes[family]);
      for (scan.seek(0); scan.valid(); scan.next()) ++readable;
    }
    unreadable += properties->num_entries - std::min(readable, properties->num_entries);
  }
  return unreadable;
}

}  // namespace geotally::store
