"""What pyproject.toml cannot say: which files of the root do not belong to the package, whose folder the root is."""

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildPackage(build_py):
    """Leaves out the files that build and check the package."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Return package, name and path of each module."""
        found = super().find_package_modules(package, package_dir)
        return [module for module in found if module[1] not in ("noxfile", "setup")]


setup(cmdclass={"build_py": BuildPackage})
