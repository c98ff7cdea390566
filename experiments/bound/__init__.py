"""What the objective of Bayes by Hypernet leaves out, and what that costs."""
