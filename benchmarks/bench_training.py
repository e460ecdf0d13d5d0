"""Training: 20 replicas stacked, against one network in a plain PyTorch loop and against 20 in JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch import nn

from benchmarks import example
from benchmarks.comparison import Comparison, compare
from scripts.common.seeds import replica_seeds
from scripts.common.training import train

Parameters = list[tuple[jax.Array, jax.Array]]


def comparisons() -> list[Comparison]:
    """Time the training of all replicas, with the drawing of batches; JAX's compilation does not count."""
    torch.set_num_threads(1)
    data = example.data()
    x, y = (np.asarray(data[key], dtype=np.float32) for key in ("train_x", "train_y"))
    keys = jax.vmap(jax.random.key)(jnp.array(replica_seeds(600, example.REPLICAS), dtype=jnp.uint32))
    start = jax.vmap(_initial)(keys)

    def ours() -> float:
        return float(train(data, **example.SETTINGS)["train_loss"][-1].mean())

    train_all = jax.jit(jax.vmap(_train_one, in_axes=(0, 0, None, None)))

    def in_jax() -> object:
        return [array.block_until_ready() for array in jax.tree.leaves(train_all(start, keys, jnp.asarray(x), jnp.asarray(y)))]

    work = f"training, {example.REPLICAS} replicas, {example.STEPS} steps"
    with_torch = compare(
        work,
        plain={"PyTorch loop, one network at a time": (lambda: _plain_loop(data["train_x"][:, 0], data["train_y"][:, 0]), 10)},
        ours=ours,
        runs=5,
        plain_share=1 / example.REPLICAS,
    )
    return with_torch + compare(work, plain={"JAX, jit of vmap of scan": (in_jax, 1)}, ours=ours, runs=9)


def _plain_loop(train_x: np.ndarray, train_y: np.ndarray) -> float:
    """The source's training of one network."""
    generator = np.random.RandomState(650)
    model = example.torch_model()
    optimizer = torch.optim.SGD(model.parameters(), example.LEARNING_RATE, momentum=example.MOMENTUM)
    criterion = nn.MSELoss()
    order = np.concatenate([generator.permutation(len(train_x)) for _ in range(-(-example.STEPS * example.BATCH // len(train_x)))])
    for step in range(example.STEPS):
        indices = order[step * example.BATCH : (step + 1) * example.BATCH]
        batch_x = torch.from_numpy(train_x[indices]).float().unsqueeze(-1)
        batch_y = torch.from_numpy(train_y[indices]).float()
        loss = criterion(batch_y, model(batch_x).view(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(loss.item())


def _initial(key: jax.Array) -> Parameters:
    keys = jax.random.split(key, len(example.LAYERS))
    return [
        (jax.random.normal(k, (fan_in, fan_out)) * jnp.sqrt(2 / fan_in), jnp.zeros(fan_out))
        for k, (fan_in, fan_out) in zip(keys, example.LAYERS, strict=True)
    ]


def _loss(parameters: Parameters, x: jax.Array, y: jax.Array) -> jax.Array:
    for weight, bias in parameters[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = parameters[-1]
    return jnp.mean((x @ weight + bias - y) ** 2)


def _train_one(parameters: Parameters, key: jax.Array, x: jax.Array, y: jax.Array) -> Parameters:
    rounds = -(-example.STEPS * example.BATCH // len(x))
    order = jax.vmap(lambda k: jax.random.permutation(k, len(x)))(jax.random.split(key, rounds))
    batches = order.ravel()[: example.STEPS * example.BATCH].reshape(example.STEPS, example.BATCH)

    def step(state: tuple[Parameters, Parameters], batch: jax.Array) -> tuple[tuple[Parameters, Parameters], None]:
        parameters, velocity = state
        gradient = jax.grad(_loss)(parameters, x[batch], y[batch])
        velocity = jax.tree.map(lambda v, g: example.MOMENTUM * v + g, velocity, gradient)
        return (jax.tree.map(lambda p, v: p - example.LEARNING_RATE * v, parameters, velocity), velocity), None

    (parameters, _), _ = jax.lax.scan(step, (parameters, jax.tree.map(jnp.zeros_like, parameters)), batches)
    return parameters
