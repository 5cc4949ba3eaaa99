// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package controlplane runs a Kubernetes control plane on the loopback: etcd, kube-apiserver and kube-controller-manager,
// each the real program, built from Kubernetes' own modules and kept in the user's cache directory (build.go).
//
// Requests are authorized by RBAC, service accounts have tokens, volumes are bound and Jobs make pods. What a node does
// is missing: nobody schedules a pod or runs it. Package kubelet stands in for that.
package controlplane

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/hubhome/hubhome/test/loopback"
)

// readyTime is how long the programs may take until they are ready: some seconds on an idle machine.
const readyTime = 2 * time.Minute

// ControlPlane is a running one. Its methods may be called concurrently.
type ControlPlane struct {
	temp, bin string
	config    *rest.Config
	processes []*process
	stopOnce  sync.Once
	stopErr   error
}

// Start builds the programs where they are not built yet, which takes minutes, starts them, and waits until the API
// server is ready and the controllers work. ctx bounds the start alone: what was started runs until Stop.
func Start(ctx context.Context) (*ControlPlane, error) {
	bin, err := build(ctx)
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "controlplane-")
	if err != nil {
		return nil, err
	}
	c := &ControlPlane{temp: temp, bin: bin}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	if err := c.start(ctx); err != nil {
		for _, p := range c.processes {
			err = fmt.Errorf("%w\nthe end of the log of %s:\n%s", err, p.name, p.logEnd())
		}
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *ControlPlane) start(ctx context.Context) error {
	token, err := c.writeKeys()
	if err != nil {
		return err
	}
	etcd, err := c.startEtcd()
	if err != nil {
		return err
	}
	addr, err := c.startAPIServer(etcd)
	if err != nil {
		return err
	}
	// The server writes a certificate for itself when it starts, then its key: once that is there, the certificate is whole.
	if err := c.wait(ctx, "a certificate of the API server", func() error {
		_, err := os.Stat(c.file("apiserver.key"))
		return err
	}); err != nil {
		return err
	}
	authority, err := os.ReadFile(c.file("apiserver.crt"))
	if err != nil {
		return err
	}
	c.config = &rest.Config{
		Host:            "https://" + addr,
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAData: authority},
		QPS:             -1, // no limit: tests do much at once
	}
	client, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		return err
	}
	if err := c.wait(ctx, "the API server to be ready", func() error {
		return client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	}); err != nil {
		return err
	}
	if err := c.startControllerManager(); err != nil {
		return err
	}
	return c.wait(ctx, "the controllers to work", func() error {
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// writeKeys writes what the programs read: the key that tokens of service accounts are signed with, and the
// administrator's token, which it returns.
func (c *ControlPlane) writeKeys() (token string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", err
	}
	token = rand.Text()
	return token, errors.Join(
		os.WriteFile(c.file("sa.key"), pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), 0o600),
		os.WriteFile(c.file("sa.pub"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600),
		os.WriteFile(c.file("tokens.csv"), fmt.Appendf(nil, "%s,admin,admin,system:masters\n", token), 0o600),
	)
}

func (c *ControlPlane) startEtcd() (url string, err error) {
	client, err := loopback.Addr()
	if err != nil {
		return "", err
	}
	peer, err := loopback.Addr()
	if err != nil {
		return "", err
	}
	url, peerURL := "http://"+client, "http://"+peer
	return url, c.run("etcd", "server",
		"--data-dir="+c.file("etcd"),
		"--listen-client-urls="+url, "--advertise-client-urls="+url,
		"--listen-peer-urls="+peerURL, "--initial-advertise-peer-urls="+peerURL, "--initial-cluster=default="+peerURL,
		"--unsafe-no-fsync", // nothing here outlives the test
		"--log-level=warn")
}

func (c *ControlPlane) startAPIServer(etcd string) (addr string, err error) {
	addr, err = loopback.Addr()
	if err != nil {
		return "", err
	}
	host, port, _ := net.SplitHostPort(addr)
	return addr, c.run("kube-apiserver", "kube-apiserver",
		"--etcd-servers="+etcd,
		"--bind-address="+host, "--secure-port="+port, "--cert-dir="+c.temp,
		"--authorization-mode=RBAC", "--token-auth-file="+c.file("tokens.csv"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.file("sa.pub"), "--service-account-signing-key-file="+c.file("sa.key"),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--endpoint-reconciler-type=none", // the service kubernetes would lead to the loopback
		"--allow-privileged=true",
		"--profiling=false")
}

func (c *ControlPlane) startControllerManager() error {
	kubeconfig := c.file("admin.kubeconfig")
	if err := c.writeKubeconfig(kubeconfig); err != nil {
		return err
	}
	return c.run("kube-controller-manager", "kube-controller-manager",
		"--kubeconfig="+kubeconfig, "--use-service-account-credentials",
		"--service-account-private-key-file="+c.file("sa.key"), "--root-ca-file="+c.file("apiserver.crt"),
		// All but the two that take away the pods of a node that does not report: there are no nodes here.
		"--controllers=*,-node-lifecycle-controller,-pod-garbage-collector-controller",
		"--pvclaimbinder-sync-period=1s", // 15 s by default, and a claim that came before its volume waits for that
		"--kube-api-qps=500", "--kube-api-burst=1000",
		"--leader-elect=false", "--secure-port=0", "--profiling=false")
}

// writeKubeconfig writes the administrator's configuration for programs.
func (c *ControlPlane) writeKubeconfig(path string) error {
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: c.config.Host, CertificateAuthorityData: c.config.CAData}
	config.AuthInfos["test"] = &clientcmdapi.AuthInfo{Token: c.config.BearerToken}
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "test"}
	config.CurrentContext = "test"
	return clientcmd.WriteToFile(*config, path)
}

// run starts one of the programs.
func (c *ControlPlane) run(name, program string, args ...string) error {
	p, err := start(c.temp, name, filepath.Join(c.bin, program), args...)
	if err == nil {
		c.processes = append(c.processes, p)
	}
	return err
}

// wait waits until ready returns nil. It is over when one of the programs ends.
func (c *ControlPlane) wait(ctx context.Context, what string, ready func() error) error {
	for {
		err := ready()
		if err == nil {
			return nil
		}
		for _, p := range c.processes {
			select {
			case <-p.ended:
				return fmt.Errorf("wait for %s: %s ended: %v", what, p.name, p.waitErr)
			default:
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, errors.Join(context.Cause(ctx), err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// file is a path in the directory of this control plane.
func (c *ControlPlane) file(name string) string { return filepath.Join(c.temp, name) }

// Config is for a client that may do everything. The caller may change it.
func (c *ControlPlane) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Namespace makes a namespace with a name that begins so, and waits until pods can be made in it. It stays until the
// control plane is stopped.
func (c *ControlPlane) Namespace(ctx context.Context, prefix string) (string, error) {
	client, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		return "", err
	}
	made, err := client.CoreV1().Namespaces().Create(ctx,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix + "-"}}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	return made.Name, c.wait(ctx, "the service account of namespace "+made.Name, func() error {
		_, err := client.CoreV1().ServiceAccounts(made.Name).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// ServiceAccount is a Config for a client that may do what RBAC lets a service account do: one that it makes, where it
// is not there yet. Its token is good for an hour.
func (c *ControlPlane) ServiceAccount(ctx context.Context, namespace, name string) (*rest.Config, error) {
	client, err := kubernetes.NewForConfig(c.config)
	if err != nil {
		return nil, err
	}
	accounts := client.CoreV1().ServiceAccounts(namespace)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := accounts.Create(ctx, account, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return nil, err
	}
	token, err := accounts.CreateToken(ctx, name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	config := c.Config()
	config.BearerToken = token.Status.Token
	return config, nil
}

// Stop ends the programs, the last one first, and removes what they kept. It may be called again. It is an error where
// one had to be killed or had ended before.
func (c *ControlPlane) Stop() error {
	c.stopOnce.Do(func() {
		var errs []error
		for _, p := range slices.Backward(c.processes) {
			errs = append(errs, p.stop())
		}
		c.stopErr = errors.Join(append(errs, os.RemoveAll(c.temp))...)
	})
	return c.stopErr
}
