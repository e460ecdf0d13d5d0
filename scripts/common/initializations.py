"""Initializations of one linear layer: each fills a weight (outputs, inputs) and a bias (outputs,) in place.

Each draws from `generator` what a model of ``torch.nn.Linear`` layers draws from PyTorch's global generator with the same seed, in the
same order: the weight first, then the bias where it is random.
"""

import math

from torch import Generator, Tensor, nn

from scripts.common.options import Positive


def torch_default(weight: Tensor, bias: Tensor, *, generator: Generator) -> None:
    """PyTorch's default: weight and bias uniform within 1 / sqrt(inputs)."""
    nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(weight.shape[1])
    nn.init.uniform_(bias, -bound, bound, generator=generator)


def uniform(weight: Tensor, bias: Tensor, *, generator: Generator, scale: Positive) -> None:
    """Weight uniform within `scale`, bias zero."""
    nn.init.uniform_(weight, -scale, scale, generator=generator)
    nn.init.zeros_(bias)


def he_normal(weight: Tensor, bias: Tensor, *, generator: Generator) -> None:
    """Weight normal with variance 2 / inputs (He et al. 2015, equation 10), bias zero."""
    nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
    nn.init.zeros_(bias)


def he_uniform(weight: Tensor, bias: Tensor, *, generator: Generator) -> None:
    """Weight uniform with variance 2 / inputs (He et al. 2015), bias zero."""
    nn.init.kaiming_uniform_(weight, nonlinearity="relu", generator=generator)
    nn.init.zeros_(bias)


def xavier_normal(weight: Tensor, bias: Tensor, *, generator: Generator) -> None:
    """Weight normal with variance 2 / (inputs + outputs) (Glorot and Bengio 2010, equation 12), bias zero."""
    nn.init.xavier_normal_(weight, generator=generator)
    nn.init.zeros_(bias)


def orthogonal(weight: Tensor, bias: Tensor, *, generator: Generator) -> None:
    """Weight sqrt(2), the gain of ReLU, times a matrix with orthonormal rows or columns (Saxe et al. 2014), bias zero."""
    nn.init.orthogonal_(weight, gain=nn.init.calculate_gain("relu"), generator=generator)
    nn.init.zeros_(bias)
