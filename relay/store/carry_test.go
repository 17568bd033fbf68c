package store

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relay/relay/seal"
	"relay/relay/stream"
	"relay/tree"
)

func TestAKeyThatIsCarriedOverGoesOnWithItsEpochs(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	one, two := openStore(t, filepath.Join(t.TempDir(), "relay")), openStore(t, filepath.Join(t.TempDir(), "relay"))
	k, err := one.ChannelKey("live")
	if err != nil {
		t.Fatal(err)
	}
	k.Close()
	id := stream.IDOf(k.PrivateKey)
	ahead, err := one.NextEpoch("live", now.Add(time.Minute)) // by a clock that is fast
	if err != nil {
		t.Fatal(err)
	}
	node := tree.Place{ID: tree.ID{1}, Addrs: []netip.AddrPort{netip.MustParseAddrPort("203.0.113.7:7144")}}
	if err := one.Remember(id, []tree.Place{node}, now); err != nil {
		t.Fatal(err)
	}
	b, got, err := one.ExportKey("live", now)
	if err != nil || got != id {
		t.Fatalf("%v, %v", got, err)
	}
	c, err := ParseExport(b)
	if err != nil {
		t.Fatal(err)
	}
	if had, err := two.ImportKey("other", c, now); had || err != nil {
		t.Fatalf("%t, %v", had, err)
	}
	k2, err := two.ChannelKey("other")
	if err != nil || stream.IDOf(k2.PrivateKey) != id {
		t.Fatalf("%v", err)
	}
	if _, err := two.ImportKey("other", c, now); !errors.Is(err, ErrInUse) {
		t.Errorf("while a source runs: %v", err)
	}
	k2.Close()
	if e, err := two.NextEpoch("other", now); err != nil || e.Compare(ahead) <= 0 {
		t.Errorf("the next epoch is %v, the last was %v; %v", e, ahead, err)
	}
	if ps, err := two.Remembered(id, now); err != nil || len(ps) != 1 || ps[0].ID != node.ID {
		t.Errorf("the nodes there are %v, %v", ps, err)
	}
	if _, err := two.ImportKey("other", c, now); err != nil {
		t.Errorf("once more: %v", err)
	}
	if e, err := two.NextEpoch("other", now); err != nil || e.Ms <= ahead.Ms+1 {
		t.Errorf("an older file has set the epoch back to %v; %v", e, err)
	}
	if _, err := openStore(t, filepath.Join(t.TempDir(), "relay")).ImportKey("live", c, now.Add(-time.Hour)); !errors.Is(err, ErrFuture) {
		t.Errorf("of the future: %v", err)
	}
}

// bare returns a key file as earlier versions have written it: it does not say whose key it is.
func bare(t *testing.T, key ed25519.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestAKeyOfANodeIsNotTakenForThatOfAChannel(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "relay")
	s := openStore(t, dir)
	node, err := s.NodeKey()
	if err != nil {
		t.Fatal(err)
	}
	node.Close()
	b, err := os.ReadFile(filepath.Join(dir, "node.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseExport(b); !errors.Is(err, ErrNodeKey) {
		t.Errorf("its file: %v", err)
	}
	// One of an earlier version is known where it is used, and guessed by its name elsewhere.
	c, err := ParseExport(bare(t, node.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "node.key"), bare(t, node.PrivateKey), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ImportKey("live", c, time.Now()); !errors.Is(err, ErrNodeKey) {
		t.Errorf("of an earlier version: %v", err)
	}
	if again, err := s.NodeKey(); err != nil || !again.Equal(node.PrivateKey) {
		t.Errorf("of an earlier version, as the node's: %v", err)
	}
	channel, err := s.ChannelKey("node") // of which the file has that name, too
	if err != nil {
		t.Fatal(err)
	}
	channel.Close()
	export, _, err := s.ExportKey("node", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(filepath.Join(dir, "channels", "node.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		b    []byte
		name string
		may  bool
	}{
		{bare(t, channel.PrivateKey), filepath.Join(dir, "node.key"), true},
		{bare(t, channel.PrivateKey), "node.key", true},
		{bare(t, channel.PrivateKey), filepath.Join("channels", "node.key"), false},
		{bare(t, channel.PrivateKey), "mine.key", false},
		{bare(t, channel.PrivateKey), "-", false},
		{export, "node.key", false},
		{own, "node.key", false},
	} {
		c, err := ParseExport(f.b)
		if err != nil || c.MayBeOfNode(f.name) != f.may {
			t.Errorf("%.60q in %s: %t, %v", f.b, f.name, !f.may, err)
			continue
		}
		to := openStore(t, filepath.Join(t.TempDir(), "relay"))
		if _, err := to.ImportKey("live", c, time.Now()); err != nil {
			t.Errorf("%.60q: %v", f.b, err)
		}
	}
}

func TestAnExportThatWasChangedIsRefused(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "relay"))
	k, err := s.ChannelKey("live")
	if err != nil {
		t.Fatal(err)
	}
	k.Close()
	b, _, err := s.ExportKey("live", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseExport(b); err != nil {
		t.Fatal(err)
	}
	channel := stream.IDOf(k.PrivateKey).String()
	for name, c := range map[string]struct {
		bytes []byte
		says  string
	}{
		"cut":             {b[:len(b)/2], "holds no key"},
		"another channel": {bytes.Replace(b, []byte(channel), []byte(strings.Repeat("a", len(channel))), 1), "not that of the channel"},
		"no epoch":        {bytes.Replace(b, []byte("Epoch: 0"), []byte("Epoch: x"), 1), "when the key was used last"},
		"empty":           {nil, "holds no key"},
	} {
		if _, err := ParseExport(c.bytes); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARotatedKeyIsAnotherAndTheOldOneIsKept(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "relay"))
	name := strings.Repeat("n", maxChannelName) // the longest
	if _, _, _, err := s.RotateKey(name); !errors.Is(err, ErrNoKey) {
		t.Errorf("there is none: %v", err)
	}
	k, err := s.ChannelKey(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := s.RotateKey(name); !errors.Is(err, ErrInUse) {
		t.Errorf("while a source runs: %v", err)
	}
	k.Close()
	e, err := s.NextEpoch(name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	kept, was, is, err := s.RotateKey(name)
	if err != nil || was != stream.IDOf(k.PrivateKey) || is == was {
		t.Fatalf("from %v to %v, %v", was, is, err)
	}
	old, err := s.ChannelKey(kept)
	if err != nil || stream.IDOf(old.PrivateKey) != was {
		t.Fatalf("the old key is not that of %s: %v", kept, err)
	}
	old.Close()
	if next, err := s.NextEpoch(kept, time.UnixMilli(0)); err != nil || next.Ms <= e.Ms {
		t.Errorf("the old key begins again at %v, %v", next, err)
	}
}

func TestThePrivacyOfAChannelIsCarriedAndRotatedWithItsKey(t *testing.T) {
	for name, secret := range map[string]seal.Access{
		"in the link": seal.New(), "of a passphrase": seal.OfPassphrase([seal.SecretLen]byte{1}),
	} {
		t.Run(name, func(t *testing.T) {
			one, two := openStore(t, filepath.Join(t.TempDir(), "relay")), openStore(t, filepath.Join(t.TempDir(), "relay"))
			k, err := one.ChannelKey("live")
			if err != nil {
				t.Fatal(err)
			}
			k.Close()
			if err := one.KeepSecret("live", secret); err != nil {
				t.Fatal(err)
			}
			b, _, err := one.ExportKey("live", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			c, err := ParseExport(b)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := two.ImportKey("other", c, time.Now()); err != nil {
				t.Fatal(err)
			}
			if got, err := two.Secret("other"); err != nil || got != secret {
				t.Errorf("there the secret is another: %v", err)
			}
			if _, err := ParseExport(bytes.Replace(b, []byte("Secret: "), []byte("Secret: x"), 1)); err == nil || !strings.Contains(err.Error(), "secret of a private channel is damaged") {
				t.Errorf("damaged: %v", err)
			}
			kept, _, _, err := one.RotateKey("live")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := one.Secret(kept); err != nil || got != secret {
				t.Errorf("the old channel has another secret: %v", err)
			}
			if got, err := one.Secret("live"); err != nil || !got.Private() || got == secret || got.ByPassphrase() {
				t.Errorf("the new channel is public, has the old secret, or that of a passphrase with another key: %v", err)
			}
		})
	}
}
