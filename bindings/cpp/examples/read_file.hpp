// Reads a whole file into memory, for examples.
#ifndef READ_FILE_HPP
#define READ_FILE_HPP

#include <sdi.hpp>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

// Nothing where it cannot be read, or has more than 64 MiB. The bytes are in one place only, so that
// sdi::wipe finds them.
inline std::optional<std::string> read_file(const char *path) {
    constexpr long max = 64L << 20;
    const std::unique_ptr<std::FILE, int (*)(std::FILE *)> in(std::fopen(path, "rb"), std::fclose);
    if (in == nullptr || std::setvbuf(in.get(), nullptr, _IONBF, 0) != 0 ||
        std::fseek(in.get(), 0, SEEK_END) != 0) {
        return std::nullopt;
    }
    const long len = std::ftell(in.get());
    if (len < 0 || len > max || std::fseek(in.get(), 0, SEEK_SET) != 0) {
        return std::nullopt;
    }
    std::string bytes(static_cast<std::size_t>(len), '\0');
    if (std::fread(bytes.data(), 1, bytes.size(), in.get()) != bytes.size()) {
        return std::nullopt;
    }
    return bytes;
}

#endif
