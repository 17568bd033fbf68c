# For a tap of one's own: Formula/relay.rb in a repository homebrew-NAME; then brew install OWNER/NAME/relay.
class Relay < Formula
  desc "Live video from one person to many, without a server"
  homepage "@PAGE@"
  version "@VERSION@"
  license "MIT"

  on_macos do
    on_arm do
      url "@URL@/relay-@VERSION@-darwin-arm64.tar.gz"
      sha256 "@SHA256 relay-@VERSION@-darwin-arm64.tar.gz@"
    end
    on_intel do
      url "@URL@/relay-@VERSION@-darwin-amd64.tar.gz"
      sha256 "@SHA256 relay-@VERSION@-darwin-amd64.tar.gz@"
    end
  end
  on_linux do
    on_arm do
      url "@URL@/relay-@VERSION@-linux-arm64.tar.gz"
      sha256 "@SHA256 relay-@VERSION@-linux-arm64.tar.gz@"
    end
    on_intel do
      url "@URL@/relay-@VERSION@-linux-amd64.tar.gz"
      sha256 "@SHA256 relay-@VERSION@-linux-amd64.tar.gz@"
    end
  end

  def install
    bin.install "relay"
    doc.install "README.md", "CHANGES.md", "NOTICES.txt"
    (man1/"relay.1").write Utils.safe_popen_read(bin/"relay", "man")
    generate_completions_from_executable(bin/"relay", "completion")
  end

  test do
    assert_match "relay #{version}", shell_output("#{bin}/relay version")
  end
end
