# ruff: noqa: N803, N806, NPY002, PLR0917
"""Plain transcriptions of the source notebooks' code: one network at a time, autograd, one sample after another. Slow, and the judge.

Only what they print or plot is returned instead, and the losses on all samples are recorded at more steps. First the notebook on
initializations, then the one on features from the local linearization.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn, optim

TRAIN_N = 1500
TRAIN_SIGMA = 0.1
TEST_N = 500
WIDTH = 20
BATCH_SIZE = 32
N_STEPS = int(TRAIN_N / BATCH_SIZE * 10)

np.random.seed(0)
F_TRUE_PARAMS = np.random.rand(5) * 2.0 - 1.0


def f_true(x):
    m = F_TRUE_PARAMS.shape[0]
    return (np.sin(x[:, None] * np.arange(m)[None, :] * math.pi) * F_TRUE_PARAMS).sum(axis=-1)


def training_data(seed=10, high=1.0):
    np.random.seed(seed)
    train_x = np.random.uniform(low=-1.0, high=high, size=TRAIN_N)
    train_y = f_true(train_x) + np.random.randn(TRAIN_N) * TRAIN_SIGMA
    return train_x, train_y


def noise_free_data():
    test_x = np.linspace(-1, 1, TEST_N)
    return test_x, f_true(test_x)


def shallow_model():
    np.random.seed(100)
    torch.manual_seed(100)
    return nn.Sequential(nn.Linear(1, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))


def deep_model(seed, init):
    model = nn.Sequential(
        nn.Linear(1, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, 1),
    )
    np.random.seed(seed)
    torch.manual_seed(seed)
    model.apply(init)
    return model


def naive_init(scale, module):
    if isinstance(module, nn.Linear):
        nn.init.uniform_(module.weight, -scale, scale)
        nn.init.zeros_(module.bias)


def better_init(module):
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / module.in_features))
        nn.init.zeros_(module.bias)


def build(variant):
    """The source's network of a variant, as it initializes it."""
    if variant == "shallow":
        return shallow_model()
    seed, init = {
        "deep_small": (200, functools.partial(naive_init, 0.03)),
        "deep_large": (300, functools.partial(naive_init, 3.0)),
        "deep_he": (600, better_init),
    }[variant]
    return deep_model(seed, init)


def full_loss(model, x, y):
    with torch.no_grad():
        batch_x = torch.from_numpy(x).float().unsqueeze(-1)
        batch_y = torch.from_numpy(y).float()
        return nn.MSELoss()(batch_y, model(batch_x).view(-1)).item()


def train_model(model, n_steps, batch_size, lr, seed, train_x, train_y, after_step: Callable[[int], None]):
    np.random.seed(seed)
    torch.manual_seed(seed)
    optimizer = optim.SGD(model.parameters(), lr, momentum=0.9)
    criterion = nn.MSELoss()
    all_indices = []
    while len(all_indices) * TRAIN_N < n_steps * batch_size:  # the source draws more of them, which it never reads
        all_indices.append(np.random.permutation(TRAIN_N))
    all_indices = np.concatenate(all_indices)
    for step in range(n_steps):
        indices = all_indices[step * batch_size : step * batch_size + batch_size]
        batch_x = torch.from_numpy(train_x[indices]).float().unsqueeze(-1)
        batch_y = torch.from_numpy(train_y[indices]).float()
        pred = model(batch_x).view(-1)
        loss = criterion(batch_y, pred)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        after_step(step + 1)


def gradient_norms(model, train_x, train_y):
    batch_x = torch.from_numpy(train_x).float().unsqueeze(-1)
    batch_y = torch.from_numpy(train_y).float()
    pred = model(batch_x).view(-1)
    loss = nn.MSELoss()(batch_y, pred)
    model.zero_grad()
    loss.backward()
    return {name: param.grad.norm().item() for name, param in model.named_parameters() if name.endswith(".weight")}


def linearization(model, train_x) -> NDArray[np.floating]:
    all_grads = []
    for idx in range(len(train_x)):
        batch_x = torch.from_numpy(train_x[idx : idx + 1]).to(next(model.parameters()).dtype).unsqueeze(-1)
        pred = model(batch_x).view(-1)
        model.zero_grad()
        pred.backward()
        all_grads.append(np.concatenate([param.grad.view(-1).data.numpy() for param in model.parameters()]))
    return np.stack(all_grads)


def flat_parameters(model):
    return np.concatenate([param.detach().numpy().ravel() for param in model.parameters()])


# the notebook on features from the local linearization


def pieces_f_true(X, f_type="piecewise_linear"):
    if f_type == "sin(20x)":
        return np.sin(20 * X[:, 0])
    TenX = 10 * X[:, 0]
    _ = 12345
    return (TenX - np.floor(TenX)) * np.sin(_ * np.ceil(TenX)) - (TenX - np.ceil(TenX)) * np.sin(_ * np.floor(TenX))


def pieces_data(f_type="piecewise_linear", n_samples=200, sigma=0.1):
    rng = np.random.RandomState(1)
    X = np.sort(rng.rand(n_samples, 1), axis=0)
    y = pieces_f_true(X, f_type) + rng.randn(n_samples) * sigma
    X_test = np.concatenate([X.copy(), np.expand_dims(np.linspace(0.0, 1.0, 1000), axis=1)])
    X_test = np.sort(X_test, axis=0)
    return X, y, X_test, pieces_f_true(X_test, f_type)


def to_torch(x):
    return torch.from_numpy(x).float()


def to_numpy(x):
    return x.detach().cpu().numpy()


def elbow_net(width, seed):
    """The network with one hidden layer, as the notebook draws it after both of its generators were seeded."""
    np.random.seed(seed)
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, 1))
    weights_all = list(net.parameters())
    elbows = np.sort(np.random.rand(width))
    new_biases = -elbows * to_numpy(weights_all[0]).ravel()
    weights_all[1].data = to_torch(new_biases)
    return net


def elbow_net_2layer(width, seed):
    """The network with two hidden layers, as the notebook draws it, and the elbows that it draws for both layers."""
    np.random.seed(seed)
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))
    weights_all = list(net.parameters())
    elbows1 = np.sort(np.random.rand(width))
    elbows2 = np.sort(np.random.rand(width))
    new_biases1 = -elbows1 * to_numpy(weights_all[0]).ravel()
    new_biases2 = -elbows2 * to_numpy(weights_all[3]).ravel()
    weights_all[1].data = to_torch(new_biases1)
    weights_all[3].data = to_torch(new_biases2)
    return net, elbows1, elbows2


def train_network(X, y, net, optim, n_steps, subsample_of, after_step):
    """Train as the notebook does; `subsample_of` gives the samples of a step, for which it takes the first fifth of a permutation."""
    loss = nn.MSELoss()
    dtype = next(net.parameters()).dtype
    y_train = torch.from_numpy(y.reshape(-1, 1)).to(dtype)
    X_train = torch.from_numpy(X).to(dtype)
    for s in range(n_steps):
        subsample = subsample_of(s)
        step_loss = loss(y_train[subsample], net(X_train[subsample, :]))
        optim.zero_grad()
        step_loss.backward()
        optim.step()
        after_step(s + 1)
